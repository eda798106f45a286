import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { keysOf, openRedis } from '../../libs/queue/redis.ts';
import type { Task } from '../../libs/queue/run.ts';
import { connectTasks } from '../../libs/queue/tasks.ts';
import { type Turn, takeTurn } from '../../libs/queue/turn.ts';
import { startWorker } from '../../libs/queue/worker.ts';
import { createTestLog } from '../log.ts';
import { redisCommand, startRedis, type TestServer } from '../servers.ts';
import { until } from '../wait.ts';
import { idle, patience, withQueue } from './queue-setup.ts';

let redis: TestServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

/** Something that a handler can wait for and a test can let go. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

const ids = (task: Task | undefined) => task?.wokenBy.map(({ eventId }) => eventId);

describe('the work queue', { concurrency: 4 }, () => {
  test('in any storm, two runs of a key never overlap and every wake is followed by a run that began after it', async () => {
    const storm = fc.array(
      fc.record({ key: fc.integer({ min: 0, max: 5 }), pauseMs: fc.constantFrom(0, 0, 0, 1, 5) }),
      { minLength: 100, maxLength: 200 },
    );
    await fc.assert(
      fc.asyncProperty(storm, async (wakes) => {
        const running = new Set<string>();
        const overlaps: string[] = [];
        const handler = async ({ key }: Task) => {
          if (running.has(key)) overlaps.push(key);
          running.add(key);
          await sleep(Number(key.at(-1)));
          running.delete(key);
          if (key.endsWith('0')) throw new Error('this key always fails');
          return key.endsWith('1') ? { requeueAfterMs: 30 } : {};
        };
        await withQueue(
          redis,
          async ({ tasks, runs, kube }) => {
            // A second worker process would do as this second worker does: it shares nothing but Redis.
            const log = createTestLog();
            const second = startWorker(
              { url: redis.url, kube, concurrency: 10, log, closeTimeoutMs: 100 },
              (task) => {
                runs.push({ ...task, beganMs: performance.now() });
                return handler(task);
              },
            );
            const lastWakeMs = new Map<string, number>();
            const requests: Promise<void>[] = [];
            for (const [index, { key, pauseMs }] of wakes.entries()) {
              lastWakeMs.set(`etcd/storm/${key}`, performance.now());
              requests.push(tasks.wake(`etcd/storm/${key}`, { eventId: String(index) }));
              if (pauseMs > 0) await sleep(pauseMs);
            }
            await Promise.all(requests);
            for (const [key, wokenMs] of lastWakeMs) {
              await until(`${key} runs after its last wake`, () =>
                runs.some((run) => run.key === key && run.beganMs > wokenMs),
              );
            }
            // How often the others run is a matter of time: one fails, and one asks to run again.
            for (const key of [2, 3, 4, 5]) {
              const count = runs.filter((run) => run.key === `etcd/storm/${key}`).length;
              const most = wakes.filter((wake) => wake.key === key).length;
              assert.ok(count <= most, `${count} runs of ${key} for ${most} wakes`);
            }
            await second.close();
            assert.deepEqual(overlaps, []);
          },
          handler,
        );
      }),
      // To shrink a storm would mean to wait for what does not happen again and again.
      { numRuns: 5, endOnFailure: true },
    );
  });

  test('while a key waits, more wakes add nothing, and its run is told of all of them', async () => {
    const busy = gate();
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        await tasks.wake('etcd/a/first', { eventId: 'first' });
        await until('the only slot is taken', () => runs.length === 1);
        for (const eventId of ['1', '2', '3']) await tasks.wake('etcd/a/second', { eventId });
        assert.deepEqual(await tasks.counts(), { waiting: 1, running: 1, delayed: 0 });
        busy.open();
        await idle(tasks);
        assert.deepEqual(runs.slice(1).map(ids), [['1', '2', '3']]);
      },
      async ({ key }) => {
        if (key === 'etcd/a/first') await busy.passed;
        return {};
      },
      { concurrency: 1 },
    );
  });

  test('tells for how long the next key has waited: since the first event, or since its delay was over', async () => {
    const busy = gate();
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        assert.equal(await tasks.longestWaitMs(), 0);
        await tasks.wake('etcd/a/delayed', { eventId: 'delayed' });
        await until('it is delayed for an hour', async () => (await tasks.counts()).delayed === 1);
        assert.equal(await tasks.longestWaitMs(), 0);
        await tasks.wake('etcd/a/first', { eventId: 'first' });
        await until('the only slot is taken', () => runs.length === 2);
        assert.equal(await tasks.longestWaitMs(), 0);

        const wokenMs = performance.now();
        await tasks.wake('etcd/a/delayed', { eventId: 'cut short' });
        const storedMs = performance.now();
        await sleep(200);
        await tasks.wake('etcd/a/delayed', { eventId: 'again' });
        await tasks.wake('etcd/a/second', { eventId: 'second' });
        const askedMs = performance.now();
        const waitMs = await tasks.longestWaitMs();
        // The clock that stamps tasks counts whole milliseconds.
        assert.ok(waitMs >= askedMs - storedMs - 1, `${waitMs} ms, after ${askedMs - storedMs}`);
        assert.ok(waitMs <= performance.now() - wokenMs + 1, `${waitMs} ms`);
        busy.open();
        await until('all have run', () => runs.length === 4);
        await until('nobody waits', async () => (await tasks.longestWaitMs()) === 0);
      },
      async ({ key }) => {
        if (key === 'etcd/a/first') await busy.passed;
        return key === 'etcd/a/delayed' ? { requeueAfterMs: 3_600_000 } : {};
      },
      { concurrency: 1 },
    );
  });

  test('while a key runs, any number of wakes make it run once more', async () => {
    const busy = gate();
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        await tasks.wake('etcd/a/x', { eventId: '0', traceparent: 'trace' });
        await until('it runs', () => runs.length === 1);
        for (const eventId of ['1', '2', '3']) await tasks.wake('etcd/a/x', { eventId });
        assert.equal(runs.length, 1);
        busy.open();
        await idle(tasks);
        assert.deepEqual(runs.map(ids), [['0'], ['1', '2', '3']]);
        assert.equal(runs[0]?.wokenBy[0]?.traceparent, 'trace');
      },
      async () => {
        await busy.passed;
        return {};
      },
    );
  });

  test('a failing key waits longer each time, alone', async () => {
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        const of = (key: string) => runs.filter((run) => run.key === key);
        await tasks.wake('etcd/a/bad', { eventId: '1' });
        await until('it failed', () => of('etcd/a/bad').length === 1);
        await tasks.wake('etcd/a/good', { eventId: '2' });
        await until('the other ran', () => of('etcd/a/good').length === 1);
        await until('it ran four times', () => of('etcd/a/bad').length === 4);
        const bad = of('etcd/a/bad');
        assert.deepEqual(
          bad.map(({ failures }) => failures),
          [0, 1, 2, 3],
        );
        const gapsMs = bad.slice(1).map((run, index) => run.beganMs - (bad[index]?.beganMs ?? 0));
        // Redis counts in whole milliseconds, hence the two.
        for (const [index, gapMs] of gapsMs.entries())
          assert.ok(gapMs >= 200 * 2 ** index - 2, `gaps ${gapsMs}`);
        assert.equal(of('etcd/a/good').length, 1);
      },
      async ({ key }) => {
        if (key === 'etcd/a/bad') throw new Error('always');
        return {};
      },
    );
  });

  test('an event cuts a backoff short, the count of failures goes on, and a success sets it back', async () => {
    let healed = false;
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        for (let count = 1; count <= 7; count++) {
          await tasks.wake('etcd/a/x', { eventId: String(count) });
          // Runs of the backoff itself may come in between; they fail too.
          await until('it ran for this event', () => runs.some((run) => ids(run)?.includes(String(count))));
        }
        await until('it waits', async () => (await tasks.counts()).delayed === 1);
        const failures = runs.length;
        const wokenMs = performance.now();
        healed = true;
        await tasks.wake('etcd/a/x', { eventId: 'last' });
        await idle(tasks);
        const last = runs.at(-1);
        // After seven failures the delay is 12.8 s.
        assert.ok(performance.now() - wokenMs < 10_000);
        assert.deepEqual([runs.length, last?.failures, ids(last)], [failures + 1, failures, ['last']]);
        await tasks.wake('etcd/a/x', { eventId: 'again' });
        await idle(tasks);
        assert.equal(runs.at(-1)?.failures, 0);
      },
      async () => {
        if (!healed) throw new Error('not yet');
        return {};
      },
    );
  });

  test('a run that asks for it comes again after the delay, and nothing is left in Redis afterwards', async () => {
    let left = 2;
    await withQueue(
      redis,
      async ({ tasks, runs, kube }) => {
        await tasks.wake('etcd/a/x', { eventId: '1' });
        await until('it ran three times', () => runs.length === 3);
        await idle(tasks);
        assert.deepEqual(runs.map(ids), [['1'], [], []]);
        const [first, second] = runs;
        assert.ok((second?.beganMs ?? 0) - (first?.beganMs ?? 0) >= 298);
        const answer = await redisCommand(redis, `KEYS *${kube}*`);
        const keys = answer.split('\r\n').filter((line) => line.startsWith('quorate'));
        // BullMQ's own, one each per queue, of which the log of events is cut at some hundred; and a claim for seconds.
        const fixed = ['events', 'id', 'marker', 'meta', 'stalled-check', 'overdue'];
        assert.ok(keys.length > 0);
        assert.deepEqual(
          keys.filter((key) => !fixed.includes(key.split(':').at(-1) ?? '')),
          [],
        );
      },
      async () => (left-- > 0 ? { requeueAfterMs: 300 } : {}),
    );
  });

  test('an event cuts a requeue short', async () => {
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        await tasks.wake('etcd/a/x', { eventId: '1' });
        await until('it waits for the hour', async () => (await tasks.counts()).delayed === 1);
        await tasks.wake('etcd/a/x', { eventId: '2' });
        await until('it ran again', () => runs.length === 2);
        assert.deepEqual(ids(runs[1]), ['2']);
        await idle(tasks);
      },
      async ({ wokenBy }) => (wokenBy[0]?.eventId === '1' ? { requeueAfterMs: 3_600_000 } : {}),
    );
  });

  test('a run gets what the last one left for it, unless anything but its delay led to it', async () => {
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        await tasks.wake('etcd/a/x', { eventId: '1' });
        await until('it ran three times', () => runs.length === 3);
        assert.deepEqual(
          runs.map(({ note }) => note),
          [undefined, { left: 1 }, { left: 2 }],
        );
        await until('it waits for the hour', async () => (await tasks.counts()).delayed === 1);
        await tasks.wake('etcd/a/x', { eventId: '2' });
        await until('it ran again', () => runs.length === 4);
        assert.equal(runs[3]?.note, undefined);
        assert.equal(runs[3]?.failures, 0);
        await until('it failed', () => runs.length === 5);
        assert.equal(runs[4]?.note, undefined);
        await idle(tasks);
      },
      async ({ note, wokenBy, failures }) => {
        if (failures > 0) return {};
        if (wokenBy[0]?.eventId === '2') throw new Error('refused');
        const left = ((note as { left: number } | undefined)?.left ?? 0) + 1;
        return { requeueAfterMs: left < 3 ? 10 : 3_600_000, note: { left } };
      },
    );
  });

  test('a key that has a task keeps it, and one that has none gets one', async () => {
    await withQueue(
      redis,
      async ({ tasks, runs }) => {
        await tasks.ensure('etcd/a/x');
        await until('it ran', () => runs.length === 1);
        await until('it waits for the hour', async () => (await tasks.counts()).delayed === 1);
        await tasks.ensure('etcd/a/x');
        await tasks.ensure('etcd/a/y');
        await until('the other one ran', () => runs.length === 2);
        assert.deepEqual(
          runs.map(({ key, wokenBy }) => [key, wokenBy]),
          [
            ['etcd/a/x', []],
            ['etcd/a/y', []],
          ],
        );
      },
      async () => ({ requeueAfterMs: 3_600_000 }),
    );
  });

  test('one of many callers has the turn, once per period, and again when it failed', async () => {
    await withQueue(redis, async ({ tasks }) => {
      const turns: [Turn, number][] = [];
      const take = (name: string, periodMs: number) =>
        tasks.takeTurn(name, periodMs, async (turn) => void turns.push([turn, performance.now()]));
      await assert.rejects(
        tasks.takeTurn('resync', 3_600_000, async () => {
          throw new Error('refused');
        }),
        /refused/,
      );
      await Promise.all(Array.from({ length: 10 }, () => take('resync', 3_600_000)));
      await take('resync', 3_600_000);
      assert.deepEqual(
        turns.map(([turn]) => turn),
        ['first'],
      );
      turns.length = 0;
      await until('the next period', async () => {
        await take('brief', 300);
        return turns.length > 1;
      });
      const [[first, firstMs] = [], [next, nextMs] = []] = turns;
      assert.deepEqual([first, next], ['first', 'next']);
      // Redis counts in whole milliseconds, hence the two.
      assert.ok((nextMs ?? 0) - (firstMs ?? 0) >= 298);
    });
  });

  test('who has the turn keeps it, longer than a claim lasts; who has lost the claim has had no turn', async () => {
    const connection = openRedis(redis, {}, { down() {}, up() {} });
    const log = createTestLog();
    const kube = `turn-${randomInt(1e12)}`;
    const options = { name: 'long', periodMs: 3_600_000, claimMs: 6000, log };
    try {
      let others = 0;
      const other = () => takeTurn(connection, kube, options, async () => void others++);
      await takeTurn(connection, kube, options, async () => {
        for (let waited = 0; waited < 10; waited++) {
          await sleep(0.15 * options.claimMs);
          await other();
        }
      });
      await other();
      assert.deepEqual([others, log.lines], [0, []]);

      const { claim, turn } = keysOf(kube);
      await redisCommand(redis, `DEL ${turn('long')}`);
      await takeTurn(connection, kube, options, async () => {
        await redisCommand(redis, `SET ${claim('long')} another PX 3600000`);
        await sleep(0.5 * options.claimMs);
      });
      assert.deepEqual(
        log.lines.map(({ level, fields }) => [level, fields['turn']]),
        [['warn', 'long']],
      );
      assert.equal(await connection.get(turn('long')), null);
      assert.equal(await connection.get(claim('long')), 'another');
      assert.ok((await connection.pttl(claim('long'))) > options.claimMs);
    } finally {
      connection.disconnect();
    }
  });

  test('close waits for running handlers, then aborts them, and their keys run elsewhere', async () => {
    const reasons: unknown[] = [];
    const closing = gate();
    await withQueue(redis, async ({ tasks, runs, kube }) => {
      await tasks.wake('etcd/a/quick', { eventId: '1' });
      await idle(tasks);
      const log = createTestLog();
      const began: string[] = [];
      const leaving = startWorker(
        { url: redis.url, kube: `${kube}-leaving`, concurrency: 2, log, closeTimeoutMs: 3000 },
        async ({ key }, signal) => {
          began.push(key);
          if (key === 'etcd/a/brief') await closing.passed;
          else await new Promise((resolve) => signal.addEventListener('abort', resolve));
          if (signal.aborted) reasons.push(String(signal.reason));
          return { requeueAfterMs: 3_600_000 };
        },
      );
      const others = connectTasks({ url: redis.url, kube: `${kube}-leaving`, log, ...patience });
      await others.wake('etcd/a/brief', { eventId: '1' });
      await others.wake('etcd/a/long', { eventId: '1' });
      await until('both run', () => began.length === 2);
      const closed = leaving.close();
      closing.open();
      await closed;
      assert.deepEqual(reasons, ['Error: the worker is closing']);
      // The brief one ended and asked for an hour; of the long one nothing counts but that it is due.
      assert.deepEqual(await others.counts(), { waiting: 1, running: 0, delayed: 1 });
      await others.close();
      assert.equal(runs.length, 1);
    });
  });
});
