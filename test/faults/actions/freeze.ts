import { z } from 'zod';
import { chooseProcesses, processChoice } from '../run/processes.ts';
import { action } from '../vocabulary.ts';

/** Stops processes where they are, until `thaw`. */
export const freeze = action(z.strictObject({ which: processChoice }), async ({ lane }, { which }) => {
  for (const process of chooseProcesses(lane, which)) process.signal('SIGSTOP');
});
