// Events, their seats, and who booked them.

import { randomUUID } from 'node:crypto';
import { Refusal } from '../lib/serve.js';

const schema = `
  create table if not exists events (id text primary key, seats int not null, cents int not null);
  create table if not exists bookings (
    id uuid primary key, reference text not null, event text not null references events, seat int not null,
    cents int not null, price text not null check (price in ('quoted', 'list')));
  create table if not exists seats (event text references events, seat int, booking uuid references bookings, primary key (event, seat));
  create index if not exists free_seats on seats (event, seat) where booking is null;
  create table if not exists keys (key text primary key, booking uuid not null references bookings deferrable initially deferred);
`;

/** Creates what is missing. The lock is for instances that start together. */
export async function create(client) {
  await client.query('select pg_advisory_xact_lock(1)');
  await client.query(schema);
}

/** Adds an event with all its seats free, unless it is there. */
export async function addEvent(client, { id, seats, cents }) {
  const { rowCount } = await client.query('insert into events values ($1, $2, $3) on conflict do nothing', [id, seats, cents]);
  if (rowCount > 0) await client.query('insert into seats select $1, generate_series(1, $2::int)', [id, seats]);
}

/**
 * Books the best free seat, once a key: asked again, it returns the same booking. Two that ask at the same time with one
 * key meet at the insert, where the second waits for the first. Without a quote (cents) the list price is paid.
 */
export async function book(client, { key, reference, event, cents }) {
  const id = randomUUID();
  if (key !== undefined) {
    const { rowCount } = await client.query('insert into keys values ($1, $2) on conflict do nothing', [key, id]);
    if (rowCount === 0) return again(client, key, event);
  }
  const listed = await client.query('select cents from events where id = $1', [event]);
  if (listed.rowCount === 0) throw new Refusal(404, `there is no event "${event}"`);
  const free = await client.query(
    'select seat from seats where event = $1 and booking is null order by seat limit 1 for update skip locked', [event]);
  if (free.rowCount === 0) throw new Refusal(409, `"${event}" is sold out`);
  const booking = { id, reference, event, seat: free.rows[0].seat, cents: cents ?? listed.rows[0].cents, price: cents === undefined ? 'list' : 'quoted' };
  await client.query('insert into bookings values ($1, $2, $3, $4, $5, $6)', Object.values(booking));
  await client.query('update seats set booking = $1 where event = $2 and seat = $3', [id, event, booking.seat]);
  return booking;
}

async function again(client, key, event) {
  const { rows } = await client.query('select b.* from bookings b join keys k on k.booking = b.id where k.key = $1', [key]);
  if (rows[0].event !== event) throw new Refusal(422, `the key "${key}" was used for "${rows[0].event}"`);
  return rows[0];
}

export const bookingByID = 'select * from bookings where id = $1';

export const eventByID = `
  select id, seats, cents, (select count(*)::int from seats where event = $1 and booking is null) as free
  from events where id = $1`;
