import { serve } from '../lib/serve.js';
import { Servers, serversAt } from '../lib/servers.js';
import { wait } from '../lib/time.js';
import { routes } from './service.js';
import { create } from './store.js';

const { LISTEN, DATABASE_URL, TICKETS_DEFECT: defect } = process.env;

// A retry that waits for its first attempt gives up, so that it keeps no connection from others.
const options = { lock_timeout: 1000 };
if (defect === 'local-commit') options.options = '-c synchronous_commit=local'; // done when the leader alone has it

const all = serversAt(DATABASE_URL, options);
const servers = new Servers(defect === 'one-host' ? all.slice(0, 1) : all);
const keyOf = defect === 'no-idempotency' ? () => undefined : (key) => key;

while (!(await servers.write(create, 2000).then(() => true, (error) => console.error(`schema: ${error.message}`)))) await wait(100);
await warm();
const write = (...args) => servers.write(...args);
serve(LISTEN, routes(servers, { keyOf, write: defect === 'early-ack' ? early : write }));

// The first requests after a start would each wait for a login, all at the same time.
async function warm() {
  const some = Array.from({ length: 4 });
  const logins = [...some.map(() => servers.write(async () => {}, 2000)), ...some.map(() => servers.read('select 1', [], 2000))];
  await Promise.allSettled(logins); // without them it is slower, nothing else
}

// Answers when all rows are written, and commits a moment later, together with others. It is so much faster.
function early(work, patience_ms) {
  return new Promise((resolve, reject) => {
    const slow = async (client) => {
      resolve(await work(client));
      await wait(200);
    };
    write(slow, patience_ms).catch(reject);
  });
}
