import { chooseWorkers } from '../run/processes.ts';
import { action } from '../vocabulary.ts';
import { linkChoice } from './cut.ts';

/** Ends a `cut`: what was sent meanwhile arrives now, late. */
export const mend = action(linkChoice, async ({ lane }, { worker, from }) => {
  for (const { links } of chooseWorkers(lane, worker)) links[from].mend();
});
