import { randomUUID } from 'node:crypto';
import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../errors/catalogue.ts';
import type { Log } from '../service/log.ts';
import { queueName, queuePrefix } from './redis.ts';

/** What woke a task, for the record; the run reads the present and not this. */
export interface Wake {
  eventId: string;
  traceparent?: string;
  /** When it asked, in milliseconds since 1970; the queue notes it. */
  atMs?: number;
}

/** What BullMQ stores of a task: its key, and what made it. */
export interface TaskData {
  key: string;
  wake?: Wake;
  /** What the last run left for one that nothing but its delay leads to. */
  note?: unknown;
}

export type TaskQueue = Queue<TaskData>;
export type TaskJob = Job<TaskData>;

/** BullMQ's queue on a connection of ours, which stays ours to close. */
export function openQueue(redis: Redis, kube: string, log: Log): TaskQueue {
  const queue: TaskQueue = new Queue(queueName(kube), {
    connection: redis,
    prefix: queuePrefix,
    // So that adding fails, rather than waits, while Redis is not there.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    // Nobody reads BullMQ's own log of what happened to tasks.
    streams: { events: { maxLen: 100 } },
  });
  // Errors of the connection are logged where it is opened; those of a request are its caller's.
  queue.on('error', (error) => log.debug({ reason: messageOf(error) }, 'queue error'));
  return queue;
}

/**
 * A task for an event. The options are the semantics: of one key there is never more than one task that
 * waits; while it runs, one more is kept for afterwards; one that waits for a delay starts now.
 */
export async function addEventTask(queue: TaskQueue, key: string, wake: Wake): Promise<void> {
  const deduplication = { id: key, keepLastIfActive: true, reschedule: true };
  await queue.add('reconcile', { key, wake }, { ...taskOptions(), deduplication });
}

/** A task that the last run asked for. It gives way to one that exists, since that one starts earlier. */
export async function addLaterTask(
  queue: TaskQueue,
  key: string,
  delayMs: number,
  note?: unknown,
): Promise<void> {
  const data: TaskData = { key, ...(note !== undefined && { note }) };
  await queue.add('reconcile', data, { ...taskOptions(), deduplication: { id: key }, delay: delayMs });
}

/** A task for a key that is overdue. One that waits for a delay starts now; any other stays as it is. */
export async function addOverdueTask(queue: TaskQueue, key: string): Promise<void> {
  await queue.add('reconcile', { key }, { ...taskOptions(), deduplication: { id: key, reschedule: true } });
}

/**
 * No attempts and no backoff of BullMQ's: an event would have to wait for them. The id is not the key, because
 * a lock taken before Redis lost its data must never fit the same cluster's next task.
 */
function taskOptions() {
  return { jobId: randomUUID(), removeOnComplete: true, removeOnFail: true };
}
