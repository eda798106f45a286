import { z } from 'zod';
import { chooseProcesses, processChoice } from '../run/processes.ts';
import { action } from '../vocabulary.ts';

/** Lets frozen processes go on. */
export const thaw = action(z.strictObject({ which: processChoice }), async ({ lane }, { which }) => {
  for (const process of chooseProcesses(lane, which)) process.signal('SIGCONT');
});
