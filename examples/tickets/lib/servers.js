// Postgres as more than one server, of which one at a time takes writes. node-postgres connects to one host only, so
// this is what target_session_attrs=read-write is elsewhere: ask each server whether it leads, and remember which does.
// One asks for all: if every request dialled each server while none leads, the last one standing would go down, too.

import pg from 'pg';
import { wait, within } from './time.js';

/** No server could do the work in time. Whether a write took effect is not known. */
export class Unavailable extends Error {
  status = 503;
}

const connect_ms = 300;
// A server that leaves a statement without an answer that long is gone. A commit may well wait longer than a caller
// does: for as long as there is no standby.
const silent_ms = 10_000;

/** Reads postgres://user:password@host:port,host:port/database. */
export function parseURL(text) {
  const match = /^postgres(?:ql)?:\/\/([^:@/]+)(?::([^@/]*))?@([^/]+)\/([^?]+)$/.exec(text);
  if (!match) throw new Error(`"${text}" is not of the form postgres://user:password@host:port,host:port/database`);
  const [, user, password, list, database] = match;
  const hosts = list.split(',').map((one) => {
    const [host, port = '5432'] = one.split(':');
    return { host, port: Number(port) };
  });
  return { user, password, database, hosts };
}

/** A server with its pools: one for writes, so that commits that wait for a standby do not hold up reads. */
class Server {
  constructor(config) {
    this.name = `${config.host}:${config.port}`;
    this.config = { ...config, connectionTimeoutMillis: connect_ms, keepAlive: true };
    this.writes = this.#pool();
    this.reads = this.#pool();
  }

  #pool() {
    const made = new pg.Pool({ ...this.config, max: 10, query_timeout: silent_ms });
    // A connection that breaks is made anew when it is needed. Its statements fail, and that is told to who waits for
    // them; an event "error" besides, which nobody listens for, would end the process: on idle ones and those in use.
    return made.on('error', () => {}).on('connect', (client) => client.on('error', () => {}));
  }

  /** Asks on a connection of its own, which it gets when the pools have none left. */
  async leads() {
    const client = new pg.Client({ ...this.config, query_timeout: connect_ms });
    client.on('error', () => {});
    try {
      await client.connect();
      return await leads(client);
    } catch {
      return false;
    } finally {
      client.end().catch(() => {});
    }
  }
}

const leads = async (client) => !(await client.query('select pg_is_in_recovery() as follows')).rows[0].follows;

/** Returns the servers at the URL. Nothing is dialled before it is needed. */
export function serversAt(url, options = {}) {
  const { hosts, ...config } = parseURL(url);
  return hosts.map((host) => new Server({ ...config, ...host, ...options }));
}

export class Servers {
  #all;
  #leader; // the one that led last, undefined when it was lost
  #searching; // while one looks for the leader, all others wait for what it finds
  #checked = new WeakSet(); // connections to a server that leads; when it begins to follow another one, they break
  #readable; // the one that was read last

  constructor(servers) {
    this.#all = servers;
    this.#readable = servers[0];
  }

  /**
   * Runs work(client) in a transaction on the server that leads, and never twice: once it is begun, only the caller
   * knows whether it may be repeated. After patience_ms the caller is told Unavailable, but the transaction goes on: a
   * commit that is broken off while it waits for the standby counts as done.
   */
  write(work, patience_ms) {
    const late = new Unavailable(`no answer within ${patience_ms} ms`);
    return within(patience_ms, this.#transaction(work, Date.now() + patience_ms), late);
  }

  async #transaction(work, until) {
    const client = await this.#connected(until);
    let result;
    try {
      await client.query('begin');
      result = await work(client);
      await client.query('commit');
    } catch (error) {
      const kept = await client.query('rollback').then(() => true, () => false);
      client.release(!kept || error.code === readOnly);
      throw lost(error) ? new Unavailable(error.message, { cause: error }) : error;
    }
    client.release();
    return result;
  }

  async #connected(until) {
    for (let last; ; await wait(20)) {
      if (Date.now() >= until) throw new Unavailable(`no server takes writes: ${last?.message ?? 'none was found in time'}`, { cause: last });
      const server = await this.#lead();
      try {
        return await this.#leading(server);
      } catch (error) {
        last = error;
        if (this.#leader === server) this.#leader = undefined;
      }
    }
  }

  async #leading(server) {
    const client = await server.writes.connect();
    try {
      if (!this.#checked.has(client) && !(await within(connect_ms, leads(client), new Error(`${server.name} is silent`)))) {
        throw new Error(`${server.name} follows`);
      }
      this.#checked.add(client);
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  #lead() {
    if (this.#leader) return this.#leader;
    this.#searching ??= this.#search().finally(() => (this.#searching = undefined));
    return this.#searching;
  }

  async #search() {
    for (;; await wait(100)) {
      for (const server of this.#all) {
        if (await server.leads()) return (this.#leader = server);
      }
    }
  }

  /** Runs one query, on the leader where it is known, and else on whichever answers: what that says may be a moment old. */
  async read(text, values, patience_ms) {
    let last;
    for (const server of new Set([this.#leader ?? this.#readable, this.#readable, ...this.#all])) {
      try {
        const { rows } = await within(patience_ms, server.reads.query(text, values), new Error(`${server.name} is silent`));
        this.#readable = server;
        return rows;
      } catch (error) {
        if (!lost(error)) throw error;
        last = error;
      }
    }
    throw new Unavailable(`no server can be read: ${last.message}`, { cause: last });
  }
}

const readOnly = '25006'; // the server follows another one by now

// lost: the server failed, or the way to it, or a lock was held for too long. Nothing is wrong with the statement, and
// nobody refused it.
const lost = (error) => !error.status && (!(error instanceof pg.DatabaseError) || /^(08|57P|25006|40|53300|55P03)/.test(error.code));
