// What a seat costs now: the list price, and more when few are left. How many are left is read from a cache, which may
// be a second old, and from bookings where the cache does not know or does not answer.

import { Refusal } from '../lib/serve.js';
import { within } from '../lib/time.js';

const cache_ms = 50;
const bookings_ms = 150;

/** The cents a seat costs when so many of all are free: up to half more for the last ones. */
export function price({ cents, seats, free }) {
  return Math.round(cents * (1.5 - (0.5 * free) / seats));
}

/** Reads through cache ({get, set}) from load(id). A cache that fails or is late is done without, unless fallback is false. */
export async function through(cache, id, load, { fallback = true, ms = cache_ms } = {}) {
  const late = new Error(`the cache did not answer within ${ms} ms`);
  try {
    const kept = await within(ms, cache.get(id), late);
    if (kept) return { ...JSON.parse(kept), from: 'cache' };
  } catch (error) {
    if (!fallback) throw new Refusal(503, error.message);
    return { ...(await load(id)), from: 'bookings' };
  }
  const fresh = await load(id);
  cache.set(id, JSON.stringify(fresh)).catch(() => {}); // the next one will try again
  return { ...fresh, from: 'bookings' };
}

/** The routes of the service. */
export function routes(bookings, cache, options) {
  return {
    'GET /healthz': () => ({ status: 200, body: {} }),

    'GET /quotes/:event': async ({ params, trace }) => {
      const load = async (id) => {
        const { status, body } = await bookings.call('GET', `/events/${encodeURIComponent(id)}`, { trace, deadline_ms: bookings_ms });
        if (status !== 200) throw new Refusal(status, body?.error);
        return body;
      };
      const event = await through(cache, params.event, load, options);
      return { status: 200, body: { event: event.id, free: event.free, cents: price(event), from: event.from } };
    },
  };
}
