import type { Redis } from 'ioredis';
import { messageOf } from '../errors/catalogue.ts';
import { wait } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import { keysOf, nowByRedis } from './redis.ts';
import { addOverdueTask, type TaskQueue } from './task.ts';

/**
 * When each key is due to run again, kept beside the tasks. A worker that dies between the end of a run and its request
 * for the next one leaves a key without a task, which nobody would miss until something happens to its cluster.
 */

/** How often to look for keys that have no task, and how late one must be for that. */
const everyMs = 5000;
const graceMs = 5000;
/** How many keys are asked for at once. */
const pageSize = 1000;

const note = `${nowByRedis}
return redis.call('ZADD', KEYS[1], nowMs + ARGV[2], ARGV[1])`;

/** Not before some time are those that it returns looked at again; a run notes anew when the next one is due. */
const takeOverdue = `${nowByRedis}
local keys = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', nowMs - ARGV[1], 'LIMIT', 0, ARGV[2])
for _, key in ipairs(keys) do redis.call('ZADD', KEYS[1], nowMs, key) end
return keys`;

/** Notes when the key runs again; without a time, only an event will wake it. */
export async function noteDue(
  redis: Redis,
  kube: string,
  key: string,
  afterMs: number | undefined,
): Promise<void> {
  const { due } = keysOf(kube);
  if (afterMs === undefined) await redis.zrem(due, key);
  else await redis.eval(note, 1, due, key, afterMs);
}

/**
 * Gives a task to each key that is overdue and has none, until the signal is aborted; one whose task waits for a delay runs
 * now, since BullMQ counts delays by the clocks of workers. Of all workers one does it at a time.
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
        const keys = (await redis.eval(takeOverdue, 1, due, graceMs, pageSize)) as string[];
        await Promise.all(keys.map((key) => addOverdueTask(queue, key)));
        more = keys.length === pageSize;
      }
    } catch (error) {
      // Redis is away, which the worker says; what was due then is looked for when it is back.
      log.debug({ reason: messageOf(error) }, 'overdue tasks were not looked for');
    }
    await wait(everyMs, signal);
  }
}
