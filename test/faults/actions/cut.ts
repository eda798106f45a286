import { z } from 'zod';
import { peers } from '../run/lane.ts';
import { chooseWorkers, workerChoice } from '../run/processes.ts';
import { action } from '../vocabulary.ts';

export const linkChoice = z.strictObject({ worker: workerChoice, from: z.enum(peers) });

/** Cuts workers off from Redis, NATS, the API or all members, until `mend`: connections stay, and nothing passes. */
export const cut = action(linkChoice, async ({ lane }, { worker, from }) => {
  for (const { links } of chooseWorkers(lane, worker)) links[from].cut();
});
