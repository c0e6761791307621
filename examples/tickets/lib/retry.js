// Repeats what failed for a passing reason, with exponential backoff and full jitter.

import { wait } from './time.js';

/** How long to wait after an attempt (the first is 0). The whole range is used, so that callers that failed together do not come back together. */
export function pause(attempt, { base, max = Infinity }, dice = Math.random) {
  return dice() * Math.min(max, base * 2 ** attempt);
}

/**
 * Calls op until it succeeds, fails in a way that again refuses, or attempts or budget_ms run out. op is told how many
 * milliseconds are left. The error is op's last.
 */
export async function retry({ attempts, budget_ms, again, now = Date.now, sleep = wait, ...backoff }, op) {
  const end = now() + budget_ms;
  for (let attempt = 0; ; attempt++) {
    try {
      return await op(end - now());
    } catch (error) {
      const rest = pause(attempt, backoff);
      if (!again(error) || attempt + 1 >= attempts || now() + rest >= end) throw error;
      await sleep(rest);
    }
  }
}
