import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs, wait } from './backoff.ts';

const range = { baseMs: 100, capMs: 5000 };

test('the delay doubles up to the cap, less at most a random half', () => {
  assert.deepEqual(
    [0, 1, 2, 5, 6, 1000].map((attempt) => backoffMs(attempt, range, () => 0)),
    [100, 200, 400, 3200, 5000, 5000],
  );
  fc.assert(
    fc.property(
      fc.nat(2000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const fullMs = backoffMs(attempt, range, () => 0);
        const delayMs = backoffMs(attempt, range, () => random);
        assert.ok(delayMs >= fullMs / 2 && delayMs <= fullMs);
      },
    ),
  );
});

test('a wait ends early when its signal is aborted, before or during it', async () => {
  const stop = new AbortController();
  const waiting = wait(3_600_000, stop.signal);
  stop.abort();
  await waiting;
  await wait(3_600_000, stop.signal);
});
