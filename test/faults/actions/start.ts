import { z } from 'zod';
import { chooseWorkers, workerChoice } from '../run/processes.ts';
import { action } from '../vocabulary.ts';

/** Starts workers, those that run anew, on request with a clock that is off by so much. */
export const start = action(
  z.strictObject({ which: workerChoice, clockSkewMs: z.int().default(0) }),
  async (scene, { which, clockSkewMs }) => {
    const workers = chooseWorkers(scene.lane, which);
    const startAll = async (skewMs: number) => {
      await Promise.all(workers.map((worker) => worker.stop()));
      for (const worker of workers) worker.start(skewMs);
    };
    await startAll(clockSkewMs);
    if (clockSkewMs !== 0) scene.afterwards(() => startAll(0));
  },
);
