import { Service } from '../lib/call.js';
import { serve } from '../lib/serve.js';
import { patience, routes } from './service.js';

const { LISTEN, BOOKINGS, PRICING, TICKETS_DEFECT: defect } = process.env;

const limits = {
  'no-retry': each((limit) => ({ ...limit, attempts: 1 })),
  'no-deadline': each((limit) => ({ ...limit, deadline_ms: undefined })),
}[defect];
serve(LISTEN, routes(new Service(BOOKINGS), new Service(PRICING), limits));

function each(change) {
  return Object.fromEntries(Object.entries(patience).map(([name, limit]) => [name, change(limit)]));
}
