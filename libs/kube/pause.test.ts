import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../errors/catalogue.ts';
import { createPause, retryAfterSecondsOf } from './pause.ts';

test('a pause lasts for the longest time that was asked for, and for a minute at most', async () => {
  let nowMs = 0;
  const pause = createPause(() => nowMs);
  /** How many seconds it lasts from now on, as it says to whoever cannot wait; 0 where it is over. */
  const leftSeconds = async () => {
    try {
      await pause.end('GET /a', 0, new AbortController().signal);
      return 0;
    } catch (error) {
      assert.ok(isError(error, 'KUBE_BUSY'));
      return error.fields['retryAfterSeconds'];
    }
  };
  assert.equal(await leftSeconds(), 0);
  pause.begin(5);
  pause.begin(2);
  assert.equal(await leftSeconds(), 5);
  nowMs = 4500;
  assert.equal(await leftSeconds(), 1);
  nowMs = 5000;
  assert.equal(await leftSeconds(), 0);
  pause.begin(3600);
  assert.equal(await leftSeconds(), 60);
});

test('a pause is asked for in seconds, by an API that is too busy or not ready', () => {
  const asked = (status: number, said?: string) => retryAfterSecondsOf(status, { 'retry-after': said });
  assert.deepEqual([asked(429, '1'), asked(503, '30'), asked(429, '0')], [1, 30, 0]);
  const date = 'Fri, 31 Dec 2999 23:59:59 GMT';
  for (const said of [undefined, '', 'soon', '-1', '1.5', date]) assert.equal(asked(429, said), undefined);
  for (const status of [200, 301, 500]) assert.equal(asked(status, '1'), undefined);
});
