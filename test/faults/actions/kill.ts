import { z } from 'zod';
import { chooseProcesses, processChoice } from '../run/processes.ts';
import { action } from '../vocabulary.ts';

/** Ends processes as a crash does. Workers stay down until `start`, the others are started again soon. */
export const kill = action(z.strictObject({ which: processChoice }), async ({ lane }, { which }) => {
  for (const process of chooseProcesses(lane, which)) process.signal('SIGKILL');
});
