import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff, restartBackoff } from './backoff.ts';

test('the first restart is at once, then pauses double up to the longest', () => {
  const backoff = new Backoff();
  const pauses = Array.from({ length: 8 }, () => backoff.next(0));
  assert.deepEqual(pauses, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test('a long good run is forgiven, a shorter one is not', () => {
  const backoff = new Backoff();
  for (let crash = 0; crash < 4; crash++) backoff.next(0);
  assert.equal(backoff.next(2 * restartBackoff.longestMs - 1), 8_000);
  assert.equal(backoff.next(2 * restartBackoff.longestMs), 0);
  assert.equal(backoff.next(0), 1_000);
});
