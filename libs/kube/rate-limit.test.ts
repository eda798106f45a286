import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimit } from './rate-limit.ts';

/** How many of the calls made now, one after the other, have their turn within `limitMs`, by the real clock. */
async function turnsWithin(limit: () => Promise<void>, calls: number, limitMs: number): Promise<number> {
  let turns = 0;
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: calls }, async () => {
      await limit();
      if (performance.now() - startedMs <= limitMs) turns++;
    }),
  );
  return turns;
}

test('a burst goes at once, and what is more than that at the rate', async () => {
  const limit = createRateLimit({ perSecond: 100, burst: 20 });
  const startedMs = performance.now();
  const turns = await turnsWithin(limit, 50, 150);
  const tookMs = performance.now() - startedMs;
  assert.ok(turns >= 20 && turns <= 36, `${turns} in the first 150 ms`);
  assert.ok(tookMs >= 290, `all in ${tookMs} ms`);
});

test('the bucket fills again while it is quiet, and holds no more than the burst', async () => {
  let nowMs = 0;
  const limit = createRateLimit({ perSecond: 10, burst: 3 }, () => nowMs);
  const isAtOnce = async () => {
    const stop = new AbortController();
    const turn = limit(stop.signal).then(() => true);
    const first = await Promise.race([turn, new Promise<false>((resolve) => setImmediate(resolve, false))]);
    stop.abort();
    return first;
  };
  assert.deepEqual([await isAtOnce(), await isAtOnce(), await isAtOnce()], [true, true, true]);
  nowMs = 60_000;
  const turns = [await isAtOnce(), await isAtOnce(), await isAtOnce(), await isAtOnce()];
  assert.deepEqual(turns, [true, true, true, false]);
});

test('a call that is given up while it waits leaves its token to the next', async () => {
  let nowMs = 0;
  const limit = createRateLimit({ perSecond: 10, burst: 1 }, () => nowMs);
  await limit();
  for (let given = 0; given < 50; given++) {
    const stop = new AbortController();
    const turn = limit(stop.signal);
    stop.abort();
    await turn;
  }
  nowMs = 100;
  await limit(AbortSignal.timeout(1000));
  const startedMs = performance.now();
  nowMs = 200;
  await limit(AbortSignal.timeout(1000));
  assert.ok(performance.now() - startedMs < 500);
});
