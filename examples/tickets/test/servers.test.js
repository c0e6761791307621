import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { parseURL, Servers, Unavailable } from '../lib/servers.js';
import { Refusal } from '../lib/serve.js';
import { wait } from '../lib/time.js';

test('parseURL reads several hosts', () => {
  assert.deepEqual(parseURL('postgres://app:secret@db-1:5433,db-2/tickets'), {
    user: 'app', password: 'secret', database: 'tickets', hosts: [{ host: 'db-1', port: 5433 }, { host: 'db-2', port: 5432 }],
  });
  assert.throws(() => parseURL('db-1:5432'), /is not of the form postgres:/);
});

// A server of the pools' and clients' shape, without a network. commit_ms is how long a commit takes.
class Fake {
  constructor(name, role) {
    Object.assign(this, { name, role, commit_ms: 0, asked: 0, statements: [], released: [] });
    this.writes = { connect: async () => this.connect() };
    this.reads = { query: async (text) => (this.up(), this.fail?.(text), { rows: [{ from: this.name }] }) };
  }

  up() {
    if (this.role === 'down') throw new Error(`connect ECONNREFUSED ${this.name}`);
  }

  async leads() {
    this.asked++;
    return this.role === 'leader';
  }

  connect() {
    this.up();
    return {
      query: async (text) => {
        this.up();
        this.fail?.(text);
        if (/pg_is_in_recovery/.test(text)) return { rows: [{ follows: this.role !== 'leader' }] };
        if (text === 'commit') await wait(this.commit_ms);
        this.statements.push(text);
      },
      release: (destroy) => this.released.push(Boolean(destroy)),
    };
  }
}

const pair = () => [new Fake('a', 'leader'), new Fake('b', 'standby')];
const insert = (client) => client.query('insert').then(() => 'written');
const whole = ['begin', 'insert', 'commit'];

test('a write goes to the leader, in a transaction', async () => {
  const [a, b] = pair();
  assert.equal(await new Servers([b, a]).write(insert, 1000), 'written');
  assert.deepEqual([a.statements, b.statements, a.released], [whole, [], [false]]);
});

test('a write goes to the new leader after a failover', async () => {
  const [a, b] = pair();
  const servers = new Servers([a, b]);
  await servers.write(insert, 1000);
  a.role = 'down';
  setTimeout(() => (b.role = 'leader'), 50);
  await servers.write(insert, 1000);
  assert.deepEqual(b.statements, whole);
});

test('a leader that became a standby is left', async () => {
  const [a, b] = pair();
  const servers = new Servers([a, b]);
  await servers.write(insert, 1000);
  [a.role, b.role] = ['standby', 'leader'];
  await servers.write(insert, 1000);
  assert.deepEqual([a.statements, b.statements], [whole, whole]);
});

test('while none leads, one asks for all, and who waited is told', async () => {
  const [a, b] = pair();
  a.role = 'down';
  const servers = new Servers([a, b]);
  const writes = await Promise.allSettled(Array.from({ length: 50 }, () => servers.write(insert, 250)));
  assert.ok(writes.every(({ reason }) => reason instanceof Unavailable));
  assert.ok(b.asked <= 4, `${b.asked} times asked in 250 ms`);
  b.role = 'leader';
  assert.equal(await servers.write(insert, 1000), 'written');
});

test('a transaction whose connection broke is not begun again', async () => {
  const [a, b] = pair();
  let begun = 0;
  const work = async () => {
    begun++;
    a.role = 'down';
    throw new Error('Connection terminated unexpectedly');
  };
  b.role = 'leader';
  await assert.rejects(new Servers([a, b]).write(work, 1000), Unavailable);
  assert.deepEqual([begun, a.released], [1, [true]]);
});

test('a commit that waits for the standby is not broken off, and its caller is told in time', async () => {
  const [a, b] = pair();
  a.commit_ms = 100;
  await assert.rejects(new Servers([a, b]).write(insert, 30), Unavailable);
  assert.deepEqual(a.released, []);
  while (a.released.length === 0) await wait(5);
  assert.deepEqual([a.statements, a.released], [whole, [false]]);
});

test('a refusal rolls back, keeps the connection and stays what it is', async () => {
  const [a, b] = pair();
  const refusing = () => {
    throw new Refusal(409, 'sold out');
  };
  await assert.rejects(new Servers([a, b]).write(refusing, 1000), { status: 409 });
  assert.deepEqual([a.statements, a.released], [['begin', 'rollback'], [false]]);
});

test('a read goes to the leader, and to the standby where that is gone', async () => {
  const [a, b] = pair();
  const servers = new Servers([a, b]);
  assert.deepEqual(await servers.read('select', [], 100), [{ from: 'a' }]);
  a.role = 'down';
  assert.deepEqual(await servers.read('select', [], 100), [{ from: 'b' }]);
  b.role = 'down';
  await assert.rejects(servers.read('select', [], 100), Unavailable);
});

test('a query that is wrong is asked once', async () => {
  const [a, b] = pair();
  a.fail = b.fail = () => {
    throw Object.assign(new pg.DatabaseError('syntax error', 0, 'error'), { code: '42601' });
  };
  await assert.rejects(new Servers([a, b]).read('selct', [], 100), { code: '42601' });
});
