import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Unreachable } from '../lib/call.js';
import { routes } from '../gateway/service.js';
import { price, through } from '../pricing/service.js';

test('a seat costs more the fewer are free', () => {
  const at = (free) => price({ cents: 1000, seats: 100, free });
  assert.deepEqual([at(100), at(50), at(0)], [1000, 1250, 1500]);
});

const never = () => new Promise(() => {});
const broken = async () => {
  throw new Error('ECONNREFUSED');
};
const caches = [
  { name: 'that knows', cache: { get: async () => '{"free":1}' }, want: { free: 1, from: 'cache' } },
  { name: 'that does not know', cache: { get: async () => null, set: async () => {} }, want: { free: 2, from: 'bookings' } },
  { name: 'that cannot be written', cache: { get: async () => null, set: broken }, want: { free: 2, from: 'bookings' } },
  { name: 'that is gone', cache: { get: broken }, want: { free: 2, from: 'bookings' } },
  { name: 'that is silent', cache: { get: never }, want: { free: 2, from: 'bookings' } },
];
for (const { name, cache, want } of caches) {
  test(`reading through a cache ${name}`, async () => {
    assert.deepEqual(await through(cache, 'jazz', async () => ({ free: 2 }), { ms: 10 }), want);
  });
}

// A service that answers the calls in turn, and remembers them. An error is thrown.
function scripted(...answers) {
  const calls = [];
  const call = async (method, path, options) => {
    calls.push({ method, path, ...options });
    const answer = answers[Math.min(calls.length, answers.length) - 1];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { call, calls };
}
const gone = new Unreachable('reset');
const quick = Object.fromEntries(['quote', 'booking', 'reading'].map((name) => [name, { attempts: 3, deadline_ms: 50, budget_ms: 200, base: 1 }]));
const order = { headers: { 'idempotency-key': 'k' }, json: { event: 'jazz' }, trace: 't' };
const quoted = { status: 200, body: { event: 'jazz', free: 7, cents: 1200 } };
const booked = { status: 201, body: { id: '1', price: 'quoted' } };

test('a booking is made at the quoted price', async () => {
  const [bookings, pricing] = [scripted(booked), scripted(quoted)];
  assert.equal(await routes(bookings, pricing, quick)['POST /bookings'](order), booked);
  assert.deepEqual(bookings.calls[0].json, { event: 'jazz', cents: 1200 });
});

test('a booking is made at the list price where nobody quotes one', async () => {
  const [bookings, pricing] = [scripted(booked), scripted(gone)];
  await routes(bookings, pricing, quick)['POST /bookings'](order);
  assert.deepEqual([bookings.calls[0].json.cents, pricing.calls.length], [undefined, 3]);
});

test('a booking whose answer was lost is asked for again, under the same key', async () => {
  const bookings = scripted(gone, { status: 503, body: {} }, booked);
  assert.equal(await routes(bookings, scripted(quoted), quick)['POST /bookings'](order), booked);
  assert.deepEqual(bookings.calls.map(({ headers, trace }) => [headers['idempotency-key'], trace]), Array(3).fill(['k', 't']));
});

test('what bookings refuses is passed on, and asked once', async () => {
  const bookings = scripted({ status: 409, body: { error: 'sold out' } });
  assert.equal((await routes(bookings, scripted(quoted), quick)['POST /bookings'](order)).status, 409);
  assert.equal(bookings.calls.length, 1);
});

test('where bookings cannot be reached, that is the answer', async () => {
  await assert.rejects(routes(scripted(gone), scripted(quoted), quick)['POST /bookings'](order), { status: 503 });
});

test('an order without a key or an event is refused', async () => {
  for (const bad of [{ ...order, headers: {} }, { ...order, json: {} }]) {
    await assert.rejects(routes(scripted(booked), scripted(quoted), quick)['POST /bookings'](bad), { status: 400 });
  }
});

test('an event is shown at its list price where nobody quotes one', async () => {
  const bookings = scripted({ status: 200, body: { id: 'jazz', seats: 10, free: 7, cents: 1000 } });
  const answer = await routes(bookings, scripted(gone), quick)['GET /events/:event']({ params: { event: 'jazz' } });
  assert.deepEqual(answer, { status: 200, body: { event: 'jazz', free: 7, cents: 1000, price: 'list' } });
});
