import type { ServerAccess } from '../service/access.ts';
import type { Log } from '../service/log.ts';
import { answered, keysOf, openRedis } from './redis.ts';
import { addEventTask, addLaterTask, openQueue, type TaskJob, type Wake } from './task.ts';
import { type Turn, takeTurn } from './turn.ts';

/**
 * The side of the queue that asks for runs. Every method throws QUEUE_UNREACHABLE when Redis is down, within 2 s unless
 * `connectTasks` was told otherwise.
 */
export interface Tasks {
  /**
   * Sees to it that a run of the key starts after this call: a waiting key stays as it is, a running one runs
   * once more when it ends, one that waits for a delay (a requeue or a backoff) runs now.
   */
  wake(key: string, wake: Wake): Promise<void>;
  /** Sees to it that the key has a task: one that has none runs now, and any other as it would have. */
  ensure(key: string): Promise<void>;
  /** Runs the work if the turn of that name is due and nobody else has it, see `takeTurn`; throws what the work throws. */
  takeTurn(name: string, periodMs: number, work: (turn: Turn) => Promise<void>): Promise<void>;
  /** Whether Redis answers, as far as is known right now. */
  connected(): boolean;
  /** How many keys wait, run, and wait for a delay. */
  counts(): Promise<{ waiting: number; running: number; delayed: number }>;
  /** For how long the key that is next in turn has waited for a worker, in milliseconds; 0 where none waits. */
  longestWaitMs(): Promise<number>;
  close(): Promise<void>;
}

/** How many of the last wakes a run is told about. */
const wakesKept = 20;

/** A script, since the library makes a function for each of BullMQ's scripts whenever a transaction begins. */
const noteWake = `
redis.call('RPUSH', KEYS[1], ARGV[1])
return redis.call('LTRIM', KEYS[1], ARGV[2], -1)`;

/** Connects in the background; a Redis that is not there shows as QUEUE_UNREACHABLE in each call. */
export function connectTasks(
  options: ServerAccess & {
    kube: string;
    log: Log;
    /** How long Redis may take over one answer. */
    answerTimeoutMs?: number;
  },
): Tasks {
  const { kube, log, answerTimeoutMs = 2000 } = options;
  const { promise: tried, resolve: endFirstTry } = Promise.withResolvers<void>();
  const redis = openRedis(
    options,
    // Callers have their own way to wait and try again: the bus keeps the event for them.
    { maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: answerTimeoutMs },
    {
      up: endFirstTry,
      // Callers get the error, and the worker beside them logs the outage.
      down(reason) {
        endFirstTry();
        log.debug({ reason }, 'Redis is not reachable for waking');
      },
    },
  );
  const queue = openQueue(redis, kube, log);
  const keys = keysOf(kube);
  return {
    async wake(key, wake) {
      const woken = keys.wokenBy(key);
      await tried;
      await answered(
        Promise.all([
          redis.eval(noteWake, 1, woken, JSON.stringify({ ...wake, atMs: Date.now() }), -wakesKept),
          addEventTask(queue, key, wake),
        ]),
      );
    },
    async ensure(key) {
      await tried;
      await answered(addLaterTask(queue, key, 0));
    },
    async takeTurn(name, periodMs, work) {
      await tried;
      await takeTurn(redis, kube, { name, periodMs, log }, work);
    },
    connected: () => redis.status === 'ready',
    async counts() {
      await tried;
      const counts = await answered(queue.getJobCounts('wait', 'active', 'delayed'));
      return {
        waiting: counts['wait'] ?? 0,
        running: counts['active'] ?? 0,
        delayed: counts['delayed'] ?? 0,
      };
    },
    async longestWaitMs() {
      await tried;
      // A task whose delay is over is among those that wait only when a worker next asks for one.
      const next = Promise.all([queue.getJobs(['wait'], 0, 0, true), queue.getJobs(['delayed'], 0, 0, true)]);
      const jobs: (TaskJob | undefined)[] = (await answered(next)).flat();
      const sinceMs = jobs.map(async (job) => {
        // It began to run just now.
        if (job === undefined) return Number.POSITIVE_INFINITY;
        const first = await answered(redis.lindex(keys.wokenBy(job.data.key), 0));
        const wokenMs = first === null ? undefined : (JSON.parse(first) as Wake).atMs;
        return Math.min(job.timestamp + (job.opts.delay ?? 0), wokenMs ?? Number.POSITIVE_INFINITY);
      });
      return Math.max(0, Date.now() - Math.min(...(await Promise.all(sinceMs))));
    },
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
