import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { action } from '../vocabulary.ts';

/** Lets a fault last, or begin at any moment: so long, or longer by chance up to `orMs`. */
export const rest = action(
  z.strictObject({ ms: z.int().min(0), orMs: z.int().min(1).optional() }),
  async ({ random }, { ms, orMs = ms + 1 }) => {
    await sleep(ms + random.below(Math.max(1, orMs - ms)));
  },
);
