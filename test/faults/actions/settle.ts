import { z } from 'zod';
import { settleAll } from '../run/members.ts';
import { action } from '../vocabulary.ts';

/** Waits until every cluster is as it was last asked to be. */
export const settle = action(
  z.strictObject({ withinMs: z.int().min(1000).default(90_000) }),
  (scene, { withinMs }) => settleAll(scene, withinMs),
);
