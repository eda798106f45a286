import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { watchLock } from './lock.ts';

/**
 * Steps through time on a mocked clock; `performance.now()` stands in for it. It begins at a whole millisecond:
 * from a fraction, sums of floating point may come out a hair before the time at which something is due.
 */
function atTime(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const startMs = Math.ceil(performance.now());
  let nowMs = startMs;
  const real = performance.now.bind(performance);
  performance.now = () => nowMs;
  return {
    startMs,
    /** Only the clock goes on, as for a process that stands still. */
    freeze(ms: number) {
      nowMs += ms;
    },
    pass(ms: number) {
      nowMs += ms;
      t.mock.timers.tick(ms);
    },
    restore() {
      performance.now = real;
    },
  };
}

test('without a renewal the signal is aborted at three quarters of the duration', (t) => {
  const time = atTime(t);
  const lock = watchLock(1000, time.startMs);
  time.pass(749);
  lock.check();
  assert.equal(lock.signal.aborted, false);
  time.pass(1);
  assert.equal(lock.signal.aborted, true);
  assert.throws(() => lock.check(), /not renewed/);
  time.restore();
});

test('a renewal counts from when it was sent, not from when it was answered', (t) => {
  const time = atTime(t);
  const lock = watchLock(1000, time.startMs);
  time.pass(600);
  lock.renewed(time.startMs + 400);
  time.pass(549);
  assert.equal(lock.signal.aborted, false);
  time.pass(1);
  assert.equal(lock.signal.aborted, true);
  time.restore();
});

test('a process that stood still knows it before its timer does', (t) => {
  const time = atTime(t);
  const lock = watchLock(1000, time.startMs);
  time.freeze(5000);
  assert.equal(lock.signal.aborted, false);
  assert.throws(() => lock.check(), /not renewed/);
  assert.equal(lock.signal.aborted, true);
  time.restore();
});

test('a lost lock aborts at once, a stopped watch never', (t) => {
  const time = atTime(t);
  const lost = watchLock(1000, time.startMs);
  lost.abort('the lock was lost');
  assert.throws(() => lost.check(), /lost/);
  const stopped = watchLock(1000, time.startMs);
  stopped.stop();
  time.pass(5000);
  assert.equal(stopped.signal.aborted, false);
  time.restore();
});
