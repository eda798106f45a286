import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { until } from '../../wait.ts';
import { endStateOf } from '../run/end-state.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Compares the cluster as it is now with what the same steps have led to in the undisturbed case of the sweep. */
export const sameEnd = action(
  z.strictObject({ scenario: z.string(), name: z.string().default(onlyCluster) }),
  async (scene, { scenario, name }) => {
    const { undisturbed, isUndisturbed } = scene;
    const subject = subjectOf(scene, name);
    if (isUndisturbed) {
      undisturbed.set(scenario, await endStateOf(scene, subject));
      return;
    }
    const expected = undisturbed.get(scenario);
    const isSame = async () => isDeepStrictEqual(await endStateOf(scene, subject), expected);
    // What clients do not wait for, such as the disruption budget, may follow a moment later.
    await until(scenario, isSame, graceMs).catch(async () =>
      assert.deepEqual(await endStateOf(scene, subject), expected, `${scenario} has led to another end`),
    );
  },
);

const graceMs = 20_000;
