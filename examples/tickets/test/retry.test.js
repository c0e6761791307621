import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pause, retry } from '../lib/retry.js';

test('a pause doubles up to its limit, and dice choose from all of it', () => {
  const limits = [0, 1, 2, 3, 9].map((attempt) => pause(attempt, { base: 50, max: 300 }, () => 1));
  assert.deepEqual(limits, [50, 100, 200, 300, 300]);
  assert.equal(pause(3, { base: 50 }, () => 0), 0);
});

const cases = [
  { name: 'done at once', fails: 0, attempts: 3, budget_ms: 1000, want: 'done', tries: 1 },
  { name: 'done at the last attempt', fails: 2, attempts: 3, budget_ms: 1000, want: 'done', tries: 3 },
  { name: 'attempts run out', fails: 9, attempts: 3, budget_ms: 1000, want: 'failure 3', tries: 3 },
  { name: 'not worth another try', fails: 9, attempts: 3, budget_ms: 1000, lasting: true, want: 'failure 1', tries: 1 },
  { name: 'no time is left', fails: 9, attempts: 99, budget_ms: 250, want: 'failure 3', tries: 3 },
];
for (const { name, fails, want, tries, lasting, ...limits } of cases) {
  test(`retry: ${name}`, async () => {
    let now = 0;
    let tried = 0;
    const clock = { now: () => now, sleep: async () => (now += 20) };
    const op = async () => {
      tried++;
      now += 80;
      if (tried <= fails) throw new Error(`failure ${tried}`);
      return 'done';
    };
    const got = await retry({ ...limits, base: 1, again: () => !lasting, ...clock }, op).catch((error) => error.message);
    assert.deepEqual([got, tried], [want, tries]);
  });
}

test('retry tells each attempt how long it has', async () => {
  let now = 0;
  const left = [];
  const op = async (left_ms) => {
    left.push(left_ms);
    now += 100;
    throw new Error('no');
  };
  await assert.rejects(retry({ attempts: 3, budget_ms: 500, base: 1, again: () => true, now: () => now, sleep: async () => (now += 50) }, op));
  assert.deepEqual(left, [500, 350, 200]);
});
