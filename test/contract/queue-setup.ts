import { randomInt } from 'node:crypto';
import type { Task, TaskHandler } from '../../libs/queue/run.ts';
import { connectTasks, type Tasks } from '../../libs/queue/tasks.ts';
import { type QueueWorker, startWorker, type WorkerOptions } from '../../libs/queue/worker.ts';
import type { ServerAccess } from '../../libs/service/access.ts';
import { createTestLog } from '../log.ts';
import { until } from '../wait.ts';

export interface Run extends Task {
  beganMs: number;
}

export interface TestQueue {
  kube: string;
  tasks: Tasks;
  /** Every run that began, in order. */
  runs: Run[];
  worker: QueueWorker;
  log: ReturnType<typeof createTestLog>;
}

/** Where the machine stands still for seconds, a Redis that is late with an answer is no reason to ask again. */
export const patience = { answerTimeoutMs: 60_000 };

/** A queue of its own with one worker, which notes each run and then does as told; without random delays. */
export async function withQueue(
  server: ServerAccess,
  body: (queue: TestQueue) => Promise<void>,
  handler: TaskHandler = async () => ({}),
  options: Partial<WorkerOptions> = {},
): Promise<void> {
  const { kube = `test-${randomInt(1e12)}` } = options;
  const log = createTestLog();
  const runs: Run[] = [];
  const tasks = connectTasks({ ...server, ...patience, kube, log });
  const worker = startWorker(
    { ...server, kube, concurrency: 10, log, random: () => 0, closeTimeoutMs: 100, ...options },
    (task, signal) => {
      runs.push({ ...task, beganMs: performance.now() });
      return handler(task, signal);
    },
  );
  try {
    await body({ kube, tasks, runs, worker, log });
  } finally {
    await worker.close();
    await tasks.close();
  }
}

/** Waits until nothing waits, runs or is delayed. */
export async function idle(tasks: Tasks): Promise<void> {
  await until('the queue is idle', async () => {
    const { waiting, running, delayed } = await tasks.counts();
    return waiting + running + delayed === 0;
  });
}
