import { type Job, WaitingError } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../errors/catalogue.ts';
import type { ServerAccess } from '../service/access.ts';
import { wait } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import { createOutage, type Outage, shareOutage } from '../service/outage.ts';
import { LockWatchingWorker, retryDelayMs, tellRefusal } from './bull-worker.ts';
import { chaseOverdue, noteDue } from './due.ts';
import { type LockWatch, watchLock } from './lock.ts';
import { openRedis, queueName, queuePrefix, refusalOf } from './redis.ts';
import { type Outcome, runTask, type TaskHandler } from './run.ts';
import { addLaterTask, openQueue, type TaskData } from './task.ts';

export interface WorkerOptions extends ServerAccess {
  kube: string;
  /** How many keys run at once in this process. */
  concurrency: number;
  log: Log;
  /** Where to tell that Redis is away or refuses, for workers of one process that share one outage. */
  outage?: Outage;
  /** How long a key stays locked after its worker was last heard of. */
  lockDurationMs?: number;
  /** How often to look for keys whose lock has run out. */
  stalledIntervalMs?: number;
  /** How long `close` waits for running handlers before it aborts them. */
  closeTimeoutMs?: number;
  random?: () => number;
}

export interface QueueWorker {
  /** How many runs were cut off: their lock was lost, or could no longer be trusted. */
  cutOffCount(): number;
  close(): Promise<void>;
}

/** How long an aborted handler may take to return before `close` leaves it behind. */
const abortGraceMs = 5000;
/** How long Redis may take to confirm the ends of the last runs at `close`. */
const confirmTimeoutMs = 2000;

/**
 * Runs tasks until closed, with the semantics of client-go's work queue: no two runs of a key overlap, a key
 * that is woken while it runs runs once more, and one that fails comes again after a growing delay, which an
 * event cuts short without setting its count of failures back. Waits for Redis, at the start and whenever it
 * is gone or refuses to write. A requeue that is lost because the worker dies right after the run is made up for
 * within some 10 s; one that Redis loses with its data, only by whoever wakes all keys then. After a lost Redis, a
 * key may also begin in another process up to `lockDurationMs / 2` before its run here learns that its lock is
 * gone; writes need preconditions anyway.
 */
export function startWorker(options: WorkerOptions, handler: TaskHandler): QueueWorker {
  const { url, kube, concurrency, log, random = Math.random } = options;
  const { lockDurationMs = 10_000, stalledIntervalMs = 3000, closeTimeoutMs = 20_000 } = options;
  const { outage = createOutage(log, 'Redis', url) } = options;
  const ownOutage = shareOutage(outage);
  const [lost, refused] = [ownOutage(), ownOutage()];
  const redis = openRedis(options, { maxRetriesPerRequest: null }, { down: lost.begin, up: lost.end });
  // BullMQ waits for tasks on a copy of the connection. It cannot close one that never came up, so we do.
  const copies: Redis[] = [];
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => {
    const copy = duplicate(override);
    copies.push(copy);
    return copy;
  };
  const queue = openQueue(redis, kube, log);
  /** The locks of the running tasks, by BullMQ's id. */
  const locks = new Map<string, LockWatch>();
  /** The last run of each key in this process: BullMQ's id of its task, and its end. */
  const runs = new Map<string, { id: string; ended: Promise<void> }>();
  const runsEnded = () => Promise.all([...runs.values()].map(({ ended }) => ended));
  const requests = new Set<Promise<void>>();
  let cutOff = 0;
  const stop = new AbortController();

  /** What a refusing Redis leads to is a part of that outage, and told with it. */
  const warn = (error: unknown, key: string, message: string) => {
    tellRefusal(refused, error);
    log[refused.active ? 'debug' : 'warn']({ key, reason: messageOf(error) }, message);
  };

  const process = async (job: Job<TaskData, Outcome>): Promise<Outcome> => {
    const { key } = job.data;
    const id = job.id ?? key;
    const lock = watchLock(lockDurationMs, takenAtMs(job));
    locks.set(id, lock);
    // When Redis lost its locks, a key may be handed out while it still runs here: then it has to wait.
    const before = runs.get(key);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const run = { id, ended };
    runs.set(key, run);
    try {
      await before?.ended;
      // BullMQ knows locks by the id of their task: with the end of that run it has stopped to renew this one's, too.
      if (before?.id === id) throw new Error('its last run here outlived its lock');
      const { note: _note, ...data } = job.data;
      // A run that was cut off may have taken with it what woke it.
      const given = job.attemptsStarted > 1 ? data : job.data;
      const outcome = await runTask({ redis, kube, log, random }, given, lock, (task, signal) => {
        // To take it was to write: Redis accepts that again.
        refused.end();
        return handler(task, signal);
      });
      await noteDue(redis, kube, key, outcome.againAfterMs);
      return outcome;
    } catch (error) {
      warn(error, key, 'a run was cut off; the key runs again');
      // A full Redis lets BullMQ remove this task, but not store the key's next one. So it stays, until its lock has
      // run out and it is found: to BullMQ, it has been moved elsewhere.
      if (refusalOf(error) !== undefined) throw new WaitingError();
      cutOff++;
      throw error;
    } finally {
      end();
      lock.stop();
      if (locks.get(id) === lock) locks.delete(id);
      if (runs.get(key) === run) runs.delete(key);
    }
  };

  const worker = new LockWatchingWorker(
    queueName(kube),
    process,
    {
      connection: redis,
      prefix: queuePrefix,
      autorun: false,
      concurrency,
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      // A task whose workers keep dying is still due; that it kills them is for the pass to find out.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      runRetryDelay: retryDelayMs,
      // Seconds. How long an idle worker may sleep on a connection that died without a word.
      drainDelay: 2,
    },
    { locks, refused, stopping: stop.signal },
  );

  const runLater = (key: string, { againAfterMs = 0, note }: Outcome) => {
    const request: Promise<void> = addLaterTask(queue, key, againAfterMs, note)
      .catch((error) => warn(error, key, 'a requeue was lost, and is made up for when it is overdue'))
      .finally(() => requests.delete(request));
    requests.add(request);
  };
  // BullMQ says so only after Redis has accepted that the task ended under its own lock.
  worker.on('completed', (job, outcome) => {
    if (outcome.againAfterMs !== undefined) runLater(job.data.key, outcome);
  });
  worker.on('failed', (job) => {
    if (job !== undefined) runLater(job.data.key, {});
  });
  worker.on('error', (error) => {
    tellRefusal(refused, error);
    // The copy of the connection may still fail when the first is back: that belongs to the same outage.
    const ofConnection = outage.active || 'syscall' in error || error.message === 'Connection is closed.';
    log[ofConnection ? 'debug' : 'warn']({ reason: messageOf(error) }, 'queue error');
  });
  worker.run().catch((error) => log.error({ reason: messageOf(error) }, 'the queue worker ended'));
  const chasing = chaseOverdue({ redis, queue, kube, log, signal: stop.signal });

  return {
    cutOffCount: () => cutOff,
    async close() {
      stop.abort();
      // Takes no more tasks from here on.
      const closed = worker.close().then(() => Promise.all(requests));
      if (!(await endsWithin(runsEnded(), closeTimeoutMs))) {
        for (const lock of locks.values()) lock.abort('the worker is closing');
        await endsWithin(runsEnded(), abortGraceMs);
      }
      // What Redis has not confirmed by then is cut off: the locks run out and another worker takes over.
      await endsWithin(Promise.all([closed, chasing]), confirmTimeoutMs);
      for (const connection of [redis, ...copies]) connection.disconnect();
      await worker.abandon();
    },
  };
}

/** When the lock of the task was asked for, in the time of `performance.now()`. */
function takenAtMs(job: Job<TaskData, Outcome>): number {
  return performance.now() - Math.max(0, Date.now() - (job.processedOn ?? Date.now()));
}

async function endsWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const timeout = new AbortController();
  const outcomes = [work.then(() => true), wait(limitMs, timeout.signal).then(() => false)];
  try {
    return await Promise.race(outcomes);
  } finally {
    timeout.abort();
  }
}
