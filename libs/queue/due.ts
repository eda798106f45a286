import type { Redis } from 'ioredis';
import { messageOf } from '../errors/catalogue.ts';
import { wait } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import { keysOf } from './redis.ts';
import { addLaterTask, type TaskQueue } from './task.ts';

/**
 * When each key is due to run again, kept beside the tasks. A worker that dies between the end of a run and its request
 * for the next one leaves a key without a task, which nobody would miss until something happens to its cluster.
 */

/** How often to look for keys that have no task, and how late one must be for that. */
const everyMs = 5000;
const graceMs = 5000;
/** How many keys are asked for at once. */
const pageSize = 1000;

/** Notes when the key runs again; without a time, only an event will wake it. */
export async function noteDue(
  redis: Redis,
  kube: string,
  key: string,
  afterMs: number | undefined,
): Promise<void> {
  const { due } = keysOf(kube);
  if (afterMs === undefined) await redis.zrem(due, key);
  else await redis.zadd(due, Date.now() + afterMs, key);
}

/**
 * Gives a task to each key that is overdue and has none, until the signal is aborted. Of all workers one does it at a
 * time. To ask for a task where there is one changes nothing.
 */
export async function chaseOverdue(options: {
  redis: Redis;
  queue: TaskQueue;
  kube: string;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  const { redis, queue, kube, log, signal } = options;
  const { due, claim } = keysOf(kube);
  while (!signal.aborted) {
    try {
      const isOurs = (await redis.set(claim('overdue'), '1', 'PX', everyMs, 'NX')) === 'OK';
      for (let more = isOurs; more && !signal.aborted; ) {
        const nowMs = Date.now();
        const keys = await redis.zrangebyscore(due, '-inf', nowMs - graceMs, 'LIMIT', 0, pageSize);
        await Promise.all(keys.map((key) => addLaterTask(queue, key, 0)));
        // Not before some time are they looked at again; a run notes anew when the next one is due.
        if (keys.length > 0) await redis.zadd(due, 'XX', ...keys.flatMap((key) => [nowMs, key]));
        more = keys.length === pageSize;
      }
    } catch (error) {
      // Redis is away, which the worker says; what was due then is looked for when it is back.
      log.debug({ reason: messageOf(error) }, 'overdue tasks were not looked for');
    }
    await wait(everyMs, signal);
  }
}
