import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isError } from '../../libs/errors/catalogue.ts';
import type { Task } from '../../libs/queue/run.ts';
import { connectTasks } from '../../libs/queue/tasks.ts';
import type { Turn } from '../../libs/queue/turn.ts';
import { freePort } from '../../services/cli/processes/servers.ts';
import { linkTo } from '../faults/run/link.ts';
import { createTestLog } from '../log.ts';
import { redisCommand, startRedis, type TestServer } from '../servers.ts';
import { until } from '../wait.ts';
import { idle, patience, type TestQueue, withQueue } from './queue-setup.ts';

const lock = { lockDurationMs: 2000, stalledIntervalMs: 500 };
/** Where a run that takes a moment has to keep its lock on a machine that stands still for seconds. */
const longLock = { ...lock, lockDurationMs: 8000 };
/** Where one has to keep it for longer than it lasts: a renewal may then come a quarter of this late. */
const keptLock = { ...lock, lockDurationMs: 16_000 };
/** A run for that long is in need of a renewal. */
const longRunMs = 1.1 * keptLock.lockDurationMs;

async function withRedis(body: (redis: TestServer) => Promise<void>): Promise<void> {
  const redis = await startRedis();
  try {
    await body(redis);
  } finally {
    await redis.stop();
  }
}

/** A worker in a process of its own that holds whatever it takes until its signal is aborted. */
async function withWorkerProcess(
  redis: TestServer,
  kube: string,
  body: (worker: { child: ChildProcess; output: () => string }) => Promise<void>,
  nodeOptions: string[] = [],
): Promise<void> {
  const file = new URL('queue-worker.ts', import.meta.url).pathname;
  const args = [...nodeOptions, file, redis.url, kube, lock.lockDurationMs, lock.stalledIntervalMs].map(
    String,
  );
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  try {
    await body({ child, output: () => output });
  } finally {
    child.kill('SIGKILL');
  }
}

/** Has the worker process take the key, and only then starts a worker in this process. */
async function takenByProcess(
  redis: TestServer,
  body: (queue: TestQueue, worker: { child: ChildProcess; output: () => string }) => Promise<void>,
): Promise<void> {
  const kube = `taken-${process.pid}-${redis.port}`;
  await withWorkerProcess(redis, kube, async (worker) => {
    const tasks = connectTasks({ url: redis.url, kube, log: createTestLog(), ...patience });
    await tasks.wake('etcd/a/x', { eventId: '1' });
    await until('the process took it', () => worker.output().includes('began etcd/a/x'));
    await tasks.close();
    await withQueue(redis, (queue) => body(queue, worker), undefined, { kube, ...longLock });
  });
}

describe('the work queue, when things break', { concurrency: 3 }, () => {
  test('what a killed worker was running runs in another', () =>
    withRedis((redis) =>
      takenByProcess(redis, async ({ tasks, runs }, { child }) => {
        child.kill('SIGKILL');
        await until('another took over', () => runs.length === 1);
        await idle(tasks);
      }),
    ));

  test('a worker that stood still is aborted when it wakes up, and what it does then changes nothing', () =>
    withRedis((redis) =>
      takenByProcess(redis, async ({ tasks, runs }, { child, output }) => {
        child.kill('SIGSTOP');
        await until('another took over', () => runs.length === 1);
        await idle(tasks);
        child.kill('SIGCONT');
        await until('it was aborted', () => output().includes('aborted'));
        await until('its end was refused', () => output().includes('a run was cut off'));
        child.kill('SIGTERM');
        await until('it has closed', () => child.exitCode === 0);
        await idle(tasks);
        assert.equal(runs.length, 1);
      }),
    ));

  test('a run whose lock cannot be renewed is aborted before the lock runs out', () =>
    withRedis(async (redis) => {
      let aborted = false;
      const handler = async (_: unknown, signal: AbortSignal) => {
        if (aborted) return {};
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        aborted = true;
        return { requeueAfterMs: 3_600_000 };
      };
      await withQueue(
        redis,
        async ({ tasks, runs, worker }) => {
          await tasks.wake('etcd/a/x', { eventId: '1' });
          await until('it runs', () => runs.length === 1);
          process.kill(redis.pid, 'SIGSTOP');
          // Not by the clock: where the machine stands still, both are due when it goes on, and the earlier goes first.
          let ranOutFirst = false;
          const runsOut = setTimeout(() => {
            ranOutFirst = !aborted;
          }, longLock.lockDurationMs);
          await until('it was aborted', () => aborted);
          clearTimeout(runsOut);
          process.kill(redis.pid, 'SIGCONT');
          assert.equal(ranOutFirst, false);
          await until('it ran again', () => runs.length === 2);
          // The hour that the aborted run asked for is not among what is left.
          await idle(tasks);
          assert.equal(worker.cutOffCount(), 1);
        },
        handler,
        longLock,
      );
    }));

  test('a task that is taken again here while its last run lingers runs anew, and keeps its lock', () =>
    withRedis(async (redis) => {
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const aborted: boolean[] = [];
      const handler = async (_: unknown, signal: AbortSignal) => {
        if (aborted.push(false) === 1) await released;
        else {
          signal.addEventListener('abort', () => aborted.splice(1, 1, true));
          await sleep(longRunMs, undefined, { signal }).catch(() => {});
        }
        return {};
      };
      const body = async ({ tasks, runs, kube }: TestQueue) => {
        await tasks.wake('etcd/a/x', { eventId: '1' });
        await until('it runs', () => runs.length === 1);
        const found = await redisCommand(redis, `KEYS quorate:reconcile-${kube}:*:lock`);
        const task = /quorate:\S+(?=:lock)/.exec(found)?.[0];
        await redisCommand(redis, `DEL ${task}:lock`);
        const isTakenAgain = async () => /^2\r$/m.test(await redisCommand(redis, `HGET ${task} ats`));
        await until('it was taken again', isTakenAgain);
        release();
        await until('it runs anew', () => runs.length === 2);
        await idle(tasks);
        assert.deepEqual(aborted, [false, false]);
      };
      await withQueue(redis, body, handler, keptLock);
    }));

  test('a long run keeps its lock: nobody else begins, and its end counts', () =>
    withRedis((redis) =>
      withQueue(
        redis,
        async ({ tasks, runs, worker, log }) => {
          await tasks.wake('etcd/a/x', { eventId: '1' });
          await until('it runs', () => runs.length === 1);
          await idle(tasks);
          assert.equal(runs.length, 1);
          assert.equal(worker.cutOffCount(), 0);
          assert.deepEqual(
            log.lines.filter(({ level }) => level === 'warn'),
            [],
          );
        },
        async () => {
          await sleep(longRunMs);
          return {};
        },
        keptLock,
      ),
    ));

  test('what was left for a run that was then cut off is not told to the one that makes up for it', () =>
    withRedis(async (redis) => {
      const kube = `note-${process.pid}-${redis.port}`;
      const leave = async () => ({ requeueAfterMs: 200, note: { left: 1 } });
      await withQueue(
        redis,
        async ({ tasks }) => {
          await tasks.wake('etcd/a/x', { eventId: '1' });
          await until('it is due again', async () => (await tasks.counts()).delayed === 1);
        },
        leave,
        { kube, ...longLock },
      );
      await withWorkerProcess(redis, kube, async ({ child, output }) => {
        await until('the process took it', () => output().includes('began etcd/a/x'));
        child.kill('SIGKILL');
      });
      await withQueue(
        redis,
        async ({ runs }) => {
          await until('another took over, and went on', () => runs.length === 2);
          assert.deepEqual(
            runs.map(({ note }) => note),
            [undefined, { left: 1 }],
          );
        },
        leave,
        { kube, ...longLock },
      );
    }));

  test('a requeue that got lost is made up for', () =>
    withRedis((redis) =>
      withQueue(
        redis,
        async ({ kube, tasks, runs }) => {
          await tasks.wake('etcd/a/x', { eventId: '1' });
          await until('it is due again', async () => (await tasks.counts()).delayed === 1);
          const script = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`;
          await redisCommand(redis, `EVAL "${script}" 0 quorate:reconcile-${kube}:*`);
          assert.equal((await tasks.counts()).delayed, 0);
          await until('it runs again', () => runs.length > 1);
        },
        async () => ({ requeueAfterMs: 2000 }),
        lock,
      ),
    ));

  test('a key that was left by a worker whose clock was ahead runs when it is due', () =>
    withRedis(async (redis) => {
      const kube = `clock-${process.pid}-${redis.port}`;
      const anHourAhead = 'const now = Date.now; Date.now = () => now() + 3_600_000;';
      const options = ['--import', `data:text/javascript,${encodeURIComponent(anHourAhead)}`];
      const leave = async ({ child }: { child: ChildProcess }) => {
        const tasks = connectTasks({ url: redis.url, kube, log: createTestLog(), ...patience });
        await tasks.wake('etcd/a/brief', { eventId: '1' });
        await until('it is due again', async () => (await tasks.counts()).delayed === 1);
        child.kill('SIGKILL');
        await tasks.close();
      };
      await withWorkerProcess(redis, kube, leave, options);
      const runsAgain = ({ runs }: TestQueue) => until('it runs again', () => runs.length === 1);
      await withQueue(redis, async (queue) => void (await runsAgain(queue)), undefined, { kube, ...lock });
    }));

  test('to a Redis that was started again, or lost its data, every turn is the first', async () => {
    const redis = await startRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const tasks = connectTasks({ url: redis.url, kube: 'turns', log: createTestLog(), ...patience });
    try {
      const turns: Turn[] = [];
      const take = () => tasks.takeTurn('resync', 3_600_000, async (turn) => void turns.push(turn));
      await take();
      await take();
      assert.deepEqual(turns, ['first']);
      await redis.kill9();
      await redis.restart();
      await until('it is asked again', () =>
        take()
          .then(() => turns.length === 2)
          .catch(() => false),
      );
      await redisCommand(redis, 'FLUSHALL');
      await take();
      // Lost while it was had, it is due once more: nobody knows whether what was done then is still there.
      await redisCommand(redis, 'FLUSHALL');
      await tasks.takeTurn('resync', 3_600_000, async (turn) => {
        turns.push(turn);
        await redisCommand(redis, 'FLUSHALL');
      });
      await take();
      await take();
      assert.deepEqual(turns, ['first', 'first', 'first', 'first', 'first']);
    } finally {
      await tasks.close();
      await redis.stop();
    }
  });

  test('when Redis forgets everything, a running key is aborted and never runs twice at once here', () =>
    withRedis(async (redis) => {
      let running = 0;
      let most = 0;
      let aborted = 0;
      const handler = async ({ failures }: { failures: number }, signal: AbortSignal) => {
        assert.equal(failures, 0);
        most = Math.max(most, ++running);
        if (aborted === 0) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          aborted++;
          await sleep(200);
        }
        running--;
        return {};
      };
      await withQueue(
        redis,
        async ({ tasks, runs }) => {
          await tasks.wake('etcd/a/x', { eventId: '1' });
          await until('it runs', () => runs.length === 1);
          await redisCommand(redis, 'FLUSHALL');
          await tasks.wake('etcd/a/x', { eventId: '2' });
          await until('the event has its run', () => runs.some(({ wokenBy }) => wokenBy[0]?.eventId === '2'));
          await idle(tasks);
          assert.deepEqual([aborted, most], [1, 1]);
          await tasks.wake('etcd/a/x', { eventId: '3' });
          await until('all is as before', () => runs.some(({ wokenBy }) => wokenBy[0]?.eventId === '3'));
        },
        handler,
        lock,
      );
    }));

  const refusals = {
    NOREPLICAS: ['CONFIG SET min-replicas-to-write 1', 'CONFIG SET min-replicas-to-write 0'],
    READONLY: ['REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE'],
    OOM: ['CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0'],
  };
  for (const [words, [refuse = '', accept = '']] of Object.entries(refusals))
    test(`while Redis answers ${words}, one line says so, requests are few, and no task gets lost`, () =>
      withRedis(async (redis) => {
        const { promise: released, resolve: release } = Promise.withResolvers<void>();
        const delayMs = 5000;
        const handler = async ({ key, wokenBy }: Task) => {
          if (key === 'etcd/a/delayed') return wokenBy.length > 0 ? { requeueAfterMs: delayMs } : {};
          await released;
          return {};
        };
        const body = async ({ tasks, runs, log }: TestQueue) => {
          await tasks.wake('etcd/a/delayed', { eventId: '1' });
          await until('it is delayed', async () => (await tasks.counts()).delayed === 1);
          const dueMs = performance.now() + delayMs;
          for (const key of ['etcd/a/one', 'etcd/a/other']) await tasks.wake(key, { eventId: '1' });
          await until('both places are taken', () => runs.length === 3);
          const waiting = Array.from({ length: 20 }, (_, index) => `etcd/a/${index}`);
          for (const key of waiting) await tasks.wake(key, { eventId: '1' });

          const refusedMs = performance.now();
          await redisCommand(redis, refuse);
          await until('it is told', () => log.lines.some(({ level }) => level === 'warn'));
          release();
          await assert.rejects(tasks.wake('etcd/a/new', { eventId: '1' }), (error) =>
            isError(error, 'QUEUE_UNREACHABLE'),
          );
          // Time enough for a storm, and for the delayed task to be due in the midst of it.
          await sleep(dueMs + 2000 - performance.now());
          const errors = (await redisCommand(redis, 'INFO errorstats')).matchAll(/count=(\d+)/g);
          const refusedCount = [...errors].reduce((sum, [, count]) => sum + Number(count), 0);
          const seconds = (performance.now() - refusedMs) / 1000;
          assert.ok(refusedCount < 50 + 20 * seconds, `${refusedCount} refusals in ${seconds} s`);
          assert.equal(runs.length, 3);

          await redisCommand(redis, accept);
          await until('all that waited have run', () =>
            ['etcd/a/delayed', ...waiting].every((key) => runs.slice(3).some((run) => run.key === key)),
          );
          await idle(tasks);
          const told = log.lines.filter(({ level }) => level !== 'debug');
          assert.deepEqual(
            told.map(({ message }) => message),
            ['Redis is not reachable; trying again until it is', 'Redis is reachable again'],
          );
          assert.match(String(told[0]?.fields['reason']), new RegExp(words));
        };
        await withQueue(redis, body, handler, { ...longLock, concurrency: 2 });
      }));

  test('after a failover, connections lead to where the address does by then', () =>
    withRedis((before) =>
      withRedis(async (after) => {
        let primary = before;
        const link = await linkTo({
          host: '127.0.0.1',
          get port() {
            return primary.port;
          },
        });
        try {
          await withQueue({ url: `redis://127.0.0.1:${link.port}` }, async ({ tasks, runs, log }) => {
            const wake = (eventId: string) =>
              tasks.wake('etcd/a/x', { eventId }).then(
                () => true,
                () => false,
              );
            await until('it is woken', () => wake('1'));
            await until('it ran', () => runs.length === 1);
            await idle(tasks);
            primary = after;
            await redisCommand(before, 'REPLICAOF 127.0.0.1 1');
            await until('waking works', () => wake('2'));
            await until('it ran', () => runs.length === 2);
            await idle(tasks);
            const told = log.lines.filter(({ level }) => level !== 'debug');
            assert.deepEqual(
              told.map(({ level }) => level),
              ['warn', 'info'],
            );
          });
        } finally {
          await link.close();
        }
      }),
    ));

  test('a worker that has not reached Redis for a while ends when it is asked to', async () => {
    const url = 'redis://127.0.0.1:1';
    let askedMs = 0;
    await withQueue({ url }, async ({ log }) => {
      await until('the outage is told', () =>
        log.lines.some(({ message }) => message.startsWith('Redis is')),
      );
      askedMs = performance.now();
    });
    assert.ok(performance.now() - askedMs < 10_000);
  });

  test('Redis may come late, go, and come back empty: waking fails at once, one line says so, work goes on', async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    await withQueue({ url }, async ({ tasks, runs, log }) => {
      const outageLines = () =>
        log.lines.filter(({ level, message }) => level !== 'debug' && message.startsWith('Redis is'));
      const refused = async () => {
        const beganMs = performance.now();
        await assert.rejects(tasks.wake('etcd/a/x', { eventId: '0' }), (error) =>
          isError(error, 'QUEUE_UNREACHABLE'),
        );
        assert.ok(performance.now() - beganMs < 3000);
      };
      const wake = (eventId: string) =>
        until('waking works', () =>
          tasks.wake('etcd/a/x', { eventId }).then(
            () => true,
            () => false,
          ),
        );
      await refused();
      await until('the outage is told', () => outageLines().length === 1);
      const redis = await startRedis({ port });
      try {
        await wake('1');
        await until('it ran', () => runs.length === 1);
        await idle(tasks);
        await redis.kill9();
        await until('the outage is told', () => outageLines().length === 3);
        await refused();
        await redis.restart();
        await wake('2');
        await until('it ran', () => runs.length === 2);
        await until('its end is told', () => outageLines().length === 4);
        await idle(tasks);
        assert.deepEqual(
          outageLines().map(({ level }) => level),
          ['warn', 'info', 'warn', 'info'],
        );
        const told = log.lines.filter(({ level }) => level !== 'debug' && level !== 'info');
        assert.deepEqual(
          told,
          outageLines().filter(({ level }) => level === 'warn'),
        );
      } finally {
        await redis.stop();
      }
    });
  });
});
