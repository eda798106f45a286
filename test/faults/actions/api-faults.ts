import { z } from 'zod';
import { createKubectl } from '../../e2e/bench/kubectl.ts';
import { setApiFaults } from '../run/lane.ts';
import { action } from '../vocabulary.ts';

/**
 * From now on the API misbehaves by these rules, and by no others; `libs/sandbox/faults.ts` says what a rule can do.
 * What the test itself asks of the API is hit as well where a rule matches it.
 */
export const apiFaults = action(
  z.strictObject({ rules: z.array(z.record(z.string(), z.unknown())) }),
  async ({ lane: { stack, programs } }, { rules }) => {
    await setApiFaults(createKubectl(programs.kubectl ?? 'kubectl', stack.kubeconfigPath), rules);
  },
);
