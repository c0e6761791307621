// The way in. A quote is worth a fraction of a second, then the list price must do; a booking is worth another attempt.

import { Unreachable } from '../lib/call.js';
import { retry } from '../lib/retry.js';
import { Refusal } from '../lib/serve.js';

/** How often and how patiently others are asked. deadline_ms is an attempt's, budget_ms that of all of them, and decides. */
export const patience = {
  quote: { attempts: 2, deadline_ms: 200, budget_ms: 400, base: 20 },
  booking: { attempts: 8, deadline_ms: 800, budget_ms: 1400, base: 50, max: 400 },
  reading: { attempts: 8, deadline_ms: 400, budget_ms: 900, base: 20, max: 200 },
};

const passing = (error) => error instanceof Unreachable;

/** Asks service, again where it did not answer or said that it cannot now. It must not matter how often this is done. */
export async function ask(service, { deadline_ms, ...limits }, method, path, options) {
  return retry({ ...limits, again: passing }, async (left_ms) => {
    const answer = await service.call(method, path, { ...options, deadline_ms: deadline_ms && Math.min(deadline_ms, left_ms) });
    if (answer.status >= 500) throw new Unreachable(`${method} ${path}: ${answer.status} ${answer.body?.error ?? ''}`);
    return answer;
  });
}

/** The routes of the service. limits is patience, or less of it. */
export function routes(bookings, pricing, limits = patience) {
  // A quote, or undefined where there is none in time.
  async function quote(event, trace) {
    try {
      const { status, body } = await ask(pricing, limits.quote, 'GET', `/quotes/${encodeURIComponent(event)}`, { trace });
      return status === 200 ? body : undefined;
    } catch (error) {
      if (!passing(error)) throw error;
    }
  }

  return {
    'GET /healthz': () => ({ status: 200, body: {} }),

    'GET /events/:event': async ({ params, trace }) => {
      const quoted = await quote(params.event, trace);
      if (quoted) return { status: 200, body: { ...quoted, price: 'quoted' } };
      const { status, body } = await ask(bookings, limits.reading, 'GET', `/events/${encodeURIComponent(params.event)}`, { trace });
      return status === 200 ? { status, body: { event: body.id, free: body.free, cents: body.cents, price: 'list' } } : { status, body };
    },

    'POST /bookings': async ({ headers, trace, json }) => {
      const key = headers['idempotency-key'];
      if (!key || !json.event) throw new Refusal(400, 'a booking needs an Idempotency-Key and an event');
      const quoted = await quote(json.event, trace);
      const asked = { trace, headers: { 'idempotency-key': key }, json: { event: json.event, cents: quoted?.cents } };
      return ask(bookings, limits.booking, 'POST', '/bookings', asked);
    },

    'GET /bookings/:booking': ({ params, trace }) =>
      ask(bookings, limits.reading, 'GET', `/bookings/${encodeURIComponent(params.booking)}`, { trace }),
  };
}
