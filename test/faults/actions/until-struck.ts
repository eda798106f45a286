import { z } from 'zod';
import { until } from '../../wait.ts';
import { readJournal } from '../hook/journal.ts';
import { action } from '../vocabulary.ts';

/** Waits until a worker has come to the write that `strike` names. */
export const untilStruck = action(
  z.strictObject({ withinMs: z.int().min(1000).default(60_000) }),
  async ({ lane }, { withinMs }) => {
    await until(
      'a worker is struck',
      () => readJournal(lane.hookFolder).some(({ is }) => is === 'struck'),
      withinMs,
    );
  },
);
