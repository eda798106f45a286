import { z } from 'zod';
import { untilHit as wait } from '../run/members.ts';
import { onlyCluster } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Waits until every member that was hit shows it: its process was started again, or its pod is gone. */
export const untilHit = action(
  z.strictObject({
    name: z.string().default(onlyCluster),
    withinMs: z.int().min(1000).default(60_000),
  }),
  (scene, { name, withinMs }) => wait(scene, name, withinMs),
);
