import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { Service, Unreachable } from '../lib/call.js';
import { Refusal, serve } from '../lib/serve.js';
import { child } from '../lib/trace.js';

const trace = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';

test('a child has another span in the same trace', () => {
  const got = child(trace);
  assert.match(got, /^00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-01$/);
  assert.notEqual(got, trace);
});

for (const parent of [undefined, '', 'nonsense', '00-00000000000000000000000000000000-0123456789abcdef-01']) {
  test(`a child of "${parent}" begins a trace`, () => {
    const got = child(parent);
    assert.match(got, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.doesNotMatch(got, /^00-0{32}/);
  });
}

async function listening(t, server) {
  if (!server.listening) await new Promise((done) => server.once('listening', done));
  t.after(() => server.close() && server.closeAllConnections?.());
  return new Service(`http://127.0.0.1:${server.address().port}`);
}

test('call and serve: parameters, body, headers, trace and refusals arrive', async (t) => {
  const service = await listening(t, serve('127.0.0.1:0', {
    'GET /events/:event': ({ params, trace }) => ({ status: 200, body: { ...params, trace } }),
    'POST /bookings': ({ json, headers }) => ({ status: 201, body: { ...json, key: headers['idempotency-key'] } }),
    'GET /sold-out': () => {
      throw new Refusal(409, 'sold out');
    },
  }));
  const { body } = await service.call('GET', '/events/rock%20opera', { trace });
  assert.equal(body.event, 'rock opera');
  assert.equal(body.trace.slice(3, 35), trace.slice(3, 35));
  const booked = await service.call('POST', '/bookings', { json: { event: 'jazz' }, headers: { 'idempotency-key': 'k' } });
  assert.deepEqual(booked, { status: 201, body: { event: 'jazz', key: 'k' } });
  assert.deepEqual(await service.call('GET', '/sold-out'), { status: 409, body: { error: 'sold out' } });
  assert.equal((await service.call('GET', '/nowhere')).status, 404);
});

test('a call gives up at its deadline', async (t) => {
  const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
  const service = await listening(t, silent);
  await assert.rejects(service.call('GET', '/', { deadline_ms: 30 }), Unreachable);
});

test('a call that is refused, reset or answered with nonsense is unreachable', async (t) => {
  const rude = net.createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
  const odd = net.createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nodd')).listen(0, '127.0.0.1');
  for (const server of [rude, odd]) await assert.rejects((await listening(t, server)).call('GET', '/'), Unreachable);
  await assert.rejects(new Service('http://127.0.0.1:1').call('GET', '/'), Unreachable);
});
