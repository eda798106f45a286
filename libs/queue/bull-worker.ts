import { type WorkerOptions as BullOptions, type Job, Worker } from 'bullmq';
import { wait } from '../service/backoff.ts';
import type { Outage } from '../service/outage.ts';
import type { LockWatch } from './lock.ts';
import { refusalOf } from './redis.ts';
import type { Outcome } from './run.ts';
import type { TaskData } from './task.ts';

/** What BullMQ's worker does not do by itself. */

/** How long to wait after an error of Redis before it is asked for the next task. */
export const retryDelayMs = 500;

export interface Watched {
  /** The locks of the running tasks, by BullMQ's id. */
  locks: Map<string, LockWatch>;
  /** The outage of a Redis that answers, and refuses. */
  refused: Outage;
  stopping: AbortSignal;
}

/**
 * Tells each lock's watch when it was renewed, by the time the request was sent, and when it is lost. Waits after every
 * error of Redis, and says when one that has refused does so no more.
 */
export class LockWatchingWorker extends Worker<TaskData, Outcome> {
  readonly #watched: Watched;

  constructor(
    name: string,
    process: (job: Job<TaskData, Outcome>) => Promise<Outcome>,
    options: BullOptions,
    watched: Watched,
  ) {
    super(name, process, options);
    this.#watched = watched;
  }

  /** After a refusal BullMQ would ask again at once. To it, a Redis that refuses is an empty queue. */
  protected override async moveToActive(token: string, name?: string): Promise<Job<TaskData, Outcome>> {
    const { refused } = this.#watched;
    try {
      const job = await super.moveToActive(token, name);
      // A task would prove nothing: a full Redis lets a script write that has first removed something, here a delay.
      if (job === undefined) refused.end();
      return job;
    } catch (error) {
      if (!tellRefusal(refused, error)) throw error;
      await this.delay();
      return undefined as never;
    }
  }

  /** Ends early at `close`. BullMQ asks for no certain delay where it waits for tasks and that fails. */
  override delay(delayMs = retryDelayMs): Promise<void> {
    return wait(delayMs, this.#watched.stopping);
  }

  override async extendJobLocks(ids: string[], tokens: string[], durationMs: number): Promise<string[]> {
    const sentAtMs = performance.now();
    const lost = await super.extendJobLocks(ids, tokens, durationMs);
    for (const id of ids) {
      if (lost.includes(id)) this.#watched.locks.get(id)?.abort('the lock was lost');
      else this.#watched.locks.get(id)?.renewed(sentAtMs);
    }
    return lost;
  }

  /** Stops the timer that BullMQ's own `close` leaves running when it cannot end for want of Redis. */
  abandon(): Promise<void> {
    return this.lockManager.close();
  }
}

/** Begins the outage, in the words of Redis, where it has refused something. Whether it has. */
export function tellRefusal(refused: Outage, error: unknown): boolean {
  const refusal = refusalOf(error);
  if (refusal !== undefined) refused.begin(refusal);
  return refusal !== undefined;
}
