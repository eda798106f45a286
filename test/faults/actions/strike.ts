import { z } from 'zod';
import { beginJournal } from '../hook/journal.ts';
import { action } from '../vocabulary.ts';

/**
 * From here on the writes of all workers are counted, and the worker that comes to the n-th is struck, right before it
 * is sent or when it is answered. It stays as it is until `release`.
 */
export const strike = action(
  z
    .strictObject({
      nth: z.int().min(1).default(1),
      /** Only writes that contain this are counted, e.g. `POST pods` or `MemberAdd`. */
      of: z.string().optional(),
      moment: z.enum(['before', 'after']).default('before'),
      do: z.enum(['kill', 'stop']).default('kill'),
    })
    .refine(
      (given) => given.do === 'kill' || given.moment === 'before',
      'a worker is stopped before a write',
    ),
  async ({ lane }, given) => beginJournal(lane.hookFolder, given),
);
