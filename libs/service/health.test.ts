import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealth } from './health.ts';

test('a service is ready from its first checks on, while all of them hold, until it stops', async () => {
  const health = createHealth();
  assert.deepEqual(await health.unready(), ['starting']);
  let isThere = true;
  health.ready({
    NATS: () => isThere,
    Redis: async () => {
      if (!isThere) throw new Error('connection refused');
      return true;
    },
  });
  assert.deepEqual(await health.unready(), []);
  isThere = false;
  assert.deepEqual(await health.unready(), ['NATS is not reachable', 'Redis: connection refused']);
  isThere = true;
  assert.deepEqual(await health.unready(), []);
  health.stopping();
  assert.deepEqual(await health.unready(), ['stopping']);
  health.ready({});
  assert.deepEqual(await health.unready(), ['stopping'], 'whoever stops does not get ready again');
});

test('work is stuck only when it lasts longer than anything can, and no longer when it has ended', async () => {
  let nowMs = 0;
  const health = createHealth(() => nowMs);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = health.work('a pass of etcd/default/example', () => promise);
  const failing = health.work('another', () => Promise.reject(new Error('no')));
  await assert.rejects(failing, /^Error: no$/);
  nowMs = 10 * 60_000;
  assert.deepEqual(health.stuck(), []);
  nowMs += 1000;
  assert.deepEqual(health.stuck(), ['a pass of etcd/default/example has not ended for 601 s']);
  resolve('done');
  assert.equal(await work, 'done');
  assert.deepEqual(health.stuck(), []);
  reject();
});
