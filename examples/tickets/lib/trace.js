// A W3C trace context travels in the header traceparent: every call made for a request carries its trace on.

import { randomBytes } from 'node:crypto';

const form = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** Returns a traceparent of a new span in the trace of parent, or in a new trace where parent is none. */
export function child(parent) {
  const trace = form.exec(parent ?? '')?.[1];
  const known = trace && /[1-9a-f]/.test(trace);
  return `00-${known ? trace : randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
