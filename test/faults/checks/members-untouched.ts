import assert from 'node:assert/strict';
import { z } from 'zod';
import { isGoing, restartsOf } from '../../e2e/cluster.ts';
import type { Scene } from '../run/scene.ts';
import { check } from '../vocabulary.ts';

/** No pod of a cluster was ever deleted, and no process of one ever started again. */
export const membersUntouched = check(z.strictObject({}), (scene) => () => assertUntouchedSoFar(scene));

export function assertUntouchedSoFar({ subjects, watched }: Scene): void {
  for (const name of subjects.keys()) {
    for (const pod of watched.past(name)) {
      assert.ok(!isGoing(pod), `${pod.kind} ${pod.metadata.name} was deleted`);
      if (pod.kind === 'Pod') assert.equal(restartsOf(pod), 0, `${pod.metadata.name} was started again`);
    }
  }
}
