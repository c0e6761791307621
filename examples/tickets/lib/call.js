// Calls another service: JSON over HTTP, with a deadline.

import http from 'node:http';
import { child } from './trace.js';

/** The other service did not answer: refused, reset, or later than the deadline. Whether it did what was asked is not known. */
export class Unreachable extends Error {
  status = 503;
}

/** A service at a base URL. Connections are kept and shared by all calls. */
export class Service {
  #agent = new http.Agent({ keepAlive: true });

  constructor(base) {
    this.base = base;
  }

  /** Resolves to {status, body}, whatever the status. Without deadline_ms it waits for as long as it takes. */
  call(method, path, { json, trace, headers = {}, deadline_ms } = {}) {
    const payload = json === undefined ? undefined : JSON.stringify(json);
    const options = {
      method,
      agent: this.#agent,
      headers: { ...headers, traceparent: child(trace) },
      signal: deadline_ms === undefined ? undefined : AbortSignal.timeout(Math.max(1, Math.ceil(deadline_ms))),
    };
    if (payload !== undefined) {
      Object.assign(options.headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) });
    }
    return new Promise((resolve, reject) => {
      const fail = (error) => reject(new Unreachable(`${method} ${this.base}${path}: ${error.cause?.message ?? error.message}`, { cause: error }));
      const request = http.request(this.base + path, options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => (text += part)).on('error', fail);
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode, body: text ? JSON.parse(text) : undefined });
          } catch (error) {
            fail(error);
          }
        });
      });
      request.on('error', fail).end(payload);
    });
  }
}
