// An HTTP server of JSON.
//
//   serve('127.0.0.1:8080', { 'GET /events/:event': ({ params }) => ({ status: 200, body: {...} }) })

import http from 'node:http';

/** An answer that is no success, thrown from wherever it becomes clear. So can any error be that has a status. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Listens at host:port and answers by routes, until SIGTERM. A route that throws an error without a status answers 500. */
export function serve(address, routes) {
  const table = Object.entries(routes).map(([route, handler]) => ({ ...parse(route), handler }));
  const server = http.createServer(async (request, response) => {
    const { status, body } = await answer(table, request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const [, host, port] = /^(.*):(\d+)$/.exec(address);
  server.listen(Number(port), host || undefined);
  process.once('SIGTERM', () => server.close(() => process.exit(0)).closeIdleConnections());
  return server;
}

function parse(route) {
  const [method, path] = route.split(' ');
  return { method, pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`) };
}

async function answer(table, request) {
  const path = request.url.split('?')[0];
  try {
    for (const { method, pattern, handler } of table) {
      const match = method === request.method && pattern.exec(path);
      if (match) {
        const { headers } = request;
        return await handler({ params: decoded(match.groups), headers, trace: headers.traceparent, json: await json(request) });
      }
    }
    throw new Refusal(404, `nothing is at ${request.method} ${path}`);
  } catch (error) {
    if (!error.status) console.error(`${request.method} ${path}:`, error);
    return { status: error.status ?? 500, body: { error: error.message } };
  }
}

function decoded(params = {}) {
  try {
    return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch (error) {
    throw new Refusal(400, error.message);
  }
}

async function json(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  try {
    return text ? JSON.parse(text) : {};
  } catch (error) {
    throw new Refusal(400, `the body is not JSON: ${error.message}`);
  }
}
