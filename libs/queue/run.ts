import type { Redis } from 'ioredis';
import { messageOf } from '../errors/catalogue.ts';
import { backoffMs } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import type { LockWatch } from './lock.ts';
import { keysOf, nowByRedis } from './redis.ts';
import type { TaskData, Wake } from './task.ts';

export interface Task {
  key: string;
  /** The last events that came since the key's last run began, oldest first; empty for a requeue or a retry. */
  wokenBy: Wake[];
  /** How often the key has failed since it last succeeded. */
  failures: number;
  /**
   * What the last run left for this one. Only there where nothing but the delay that it asked for led to this run: no
   * event, no failure, and no run that was cut off meanwhile.
   */
  note?: unknown;
}

/** When to run again if no event comes first, in milliseconds, and what to tell that run: plain JSON, and little of it. */
export interface Ending {
  requeueAfterMs?: number;
  note?: unknown;
}

/**
 * One run of a key. It must end soon after the signal is aborted, because another worker may then begin; what
 * it returns or throws after that counts for nothing.
 */
export type TaskHandler = (task: Task, signal: AbortSignal) => Promise<Ending>;

/** How a run ended, as far as the queue is concerned: when to run again if no event comes, or not at all. */
export interface Outcome {
  againAfterMs?: number;
  note?: unknown;
}

/**
 * How long a failing key waits. controller-runtime's default begins at 5 ms and ends at 1000 s; a pass asks
 * the Kubernetes API and every member, so ours begins later, and a person waits for it, so it ends earlier.
 */
const failureBackoff = { baseMs: 200, capMs: 30_000 };

/**
 * Takes what is kept beside a task. With what woke it taken, nothing but that it is due would bring the key back if the run
 * is cut off and its worker dies then.
 */
const take = `${nowByRedis}
redis.call('ZADD', KEYS[3], nowMs, ARGV[1])
local failures = redis.call('HGET', KEYS[1], ARGV[1])
local woken = redis.call('LRANGE', KEYS[2], 0, -1)
redis.call('DEL', KEYS[2])
return { failures, woken }`;

/**
 * Runs the handler and keeps the key's count of failures. Rejects only when the lock was lost, whatever the
 * handler said by then, or when Redis did.
 */
export async function runTask(
  context: { redis: Redis; kube: string; log: Log; random: () => number },
  data: TaskData,
  lock: LockWatch,
  handler: TaskHandler,
): Promise<Outcome> {
  const { redis, kube, log, random } = context;
  const { key } = data;
  const { failures: failuresKey } = keysOf(kube);
  const task = await takeTask(redis, kube, data);
  lock.check();
  try {
    const { requeueAfterMs, note } = await handler(task, lock.signal);
    lock.check();
    if (task.failures > 0) {
      await redis.hdel(failuresKey, key);
      log.info({ key, failures: task.failures }, 'runs succeed again');
    }
    return requeueAfterMs === undefined ? {} : { againAfterMs: requeueAfterMs, note };
  } catch (error) {
    lock.check();
    const failures = await redis.hincrby(failuresKey, key, 1);
    const againAfterMs = backoffMs(failures - 1, failureBackoff, random);
    const fields = { key, failures, againAfterMs, reason: messageOf(error) };
    if (failures === 1) log.warn(fields, 'a run failed; trying again until one succeeds');
    else log.debug(fields, 'a run failed again');
    return { againAfterMs };
  }
}

/** The task with what is kept beside it; whatever woke the key from now on belongs to its next run. */
async function takeTask(redis: Redis, kube: string, { key, wake, note }: TaskData): Promise<Task> {
  const keys = keysOf(kube);
  const taken = await redis.eval(take, 3, keys.failures, keys.wokenBy(key), keys.due, key);
  const [failures, woken] = taken as [string | null, string[]];
  const wokenBy = woken.map((text): Wake => JSON.parse(text));
  // The list may have gone with an earlier run that was killed, or with Redis.
  if (wake !== undefined && !wokenBy.some(({ eventId }) => eventId === wake.eventId)) wokenBy.unshift(wake);
  const task = { key, wokenBy, failures: Number(failures ?? 0) };
  return wokenBy.length === 0 && task.failures === 0 && note !== undefined ? { ...task, note } : task;
}
