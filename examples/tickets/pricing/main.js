import { createClient } from '@redis/client';
import { Service } from '../lib/call.js';
import { serve } from '../lib/serve.js';
import { routes } from './service.js';

const { LISTEN, BOOKINGS, REDIS, TICKETS_DEFECT: defect } = process.env;

const redis = createClient({
  url: REDIS,
  disableOfflineQueue: true, // without a connection a command fails at once
  commandsQueueMaxLength: 1000,
  pingInterval: 500,
  // A connection on which not even a ping is answered is made anew.
  socket: { connectTimeout: 500, socketTimeout: 1500, reconnectStrategy: (tries) => Math.min(50 * (tries + 1), 500) },
});
redis.on('error', (error) => console.error(`cache: ${error.message}`));
redis.connect().catch(() => {}); // it keeps trying, and is done without meanwhile

const cache = {
  get: (id) => redis.get(`event:${id}`),
  set: (id, value) => redis.set(`event:${id}`, value, { expiration: { type: 'PX', value: 1000 } }),
};
serve(LISTEN, routes(new Service(BOOKINGS), cache, { fallback: defect !== 'no-fallback' }));
