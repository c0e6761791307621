// Books seats, and answers for what was booked.

import { Refusal } from '../lib/serve.js';
import { addEvent, book, bookingByID, eventByID } from './store.js';

const write_ms = 700;
const read_ms = 300;

/** The routes of the service on servers. keyOf says under which key a booking is made once, write how it is written. */
export function routes(servers, { keyOf, write }) {
  const one = async (query, id) => {
    const [row] = await servers.read(query, [id], read_ms);
    if (!row) throw new Refusal(404, `there is no "${id}"`);
    return { status: 200, body: row };
  };

  return {
    'GET /healthz': () => ({ status: 200, body: {} }),

    'PUT /events/:event': async ({ params, json: { seats, cents } }) => {
      if (!(Number.isInteger(seats) && Number.isInteger(cents))) throw new Refusal(400, 'an event needs seats and cents');
      await servers.write((client) => addEvent(client, { id: params.event, seats, cents }), 5000);
      return { status: 201, body: {} };
    },

    'GET /events/:event': ({ params }) => one(eventByID, params.event),

    'POST /bookings': async ({ headers, json }) => {
      const key = headers['idempotency-key'];
      if (!key) throw new Refusal(400, 'a booking needs an Idempotency-Key');
      const asked = { key: keyOf(key), reference: key, event: json.event, cents: json.cents };
      return { status: 201, body: await write((client) => book(client, asked), write_ms) };
    },

    'GET /bookings/:booking': ({ params: { booking } }) => {
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(booking)) throw new Refusal(404, `there is no "${booking}"`);
      return one(bookingByID, booking);
    },
  };
}
