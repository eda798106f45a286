import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimit } from './rate-limit.ts';

/**
 * Whether the next call has its turn without waiting; one that would wait is given up. Only for limits whose tokens come
 * seldom: where the process stands still for as long as one takes, a call that waits looks like one that does not.
 */
async function isAtOnce(limit: ReturnType<typeof createRateLimit>): Promise<boolean> {
  const stop = new AbortController();
  const turn = limit(stop.signal).then(() => true);
  const first = await Promise.race([turn, new Promise<false>((resolve) => setImmediate(resolve, false))]);
  stop.abort();
  return first;
}

test('a burst goes at once, and what is more than that at the rate', async () => {
  const limit = createRateLimit({ perSecond: 100, burst: 20 });
  const startedMs = performance.now();
  const turnsMs = await Promise.all(
    Array.from({ length: 50 }, async () => {
      await limit();
      return performance.now() - startedMs;
    }),
  );
  // The n-th after the burst has to wait for n tokens; that one comes late says nothing about the limit.
  for (const [turn, tookMs] of turnsMs.entries())
    assert.ok(tookMs >= (turn - 19) * 10 - 5, `turn ${turn} after ${tookMs} ms`);

  const standing = createRateLimit({ perSecond: 0.01, burst: 3 }, () => 0);
  const turns = [];
  for (let call = 0; call < 4; call++) turns.push(await isAtOnce(standing));
  assert.deepEqual(turns, [true, true, true, false]);
});

test('the bucket fills again while it is quiet, and holds no more than the burst', async () => {
  let nowMs = 0;
  const limit = createRateLimit({ perSecond: 0.1, burst: 3 }, () => nowMs);
  const turns = [];
  for (let call = 0; call < 7; call++) {
    if (call === 3) nowMs = 60_000;
    turns.push(await isAtOnce(limit));
  }
  assert.deepEqual(turns, [true, true, true, true, true, true, false]);
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
  assert.equal(await isAtOnce(limit), true);
  nowMs = 200;
  assert.equal(await isAtOnce(limit), true);
});
