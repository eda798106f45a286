import assert from 'node:assert/strict';
import { z } from 'zod';
import { endStateOf } from '../run/end-state.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Compares the cluster as it is now with what the same steps have led to in the undisturbed case of the sweep. */
export const sameEnd = action(
  z.strictObject({ scenario: z.string(), name: z.string().default(onlyCluster) }),
  async (scene, { scenario, name }) => {
    const { undisturbed, isUndisturbed } = scene;
    const state = await endStateOf(scene, subjectOf(scene, name));
    if (isUndisturbed) undisturbed.set(scenario, state);
    else assert.deepEqual(state, undisturbed.get(scenario), `${scenario} has led to another end`);
  },
);
