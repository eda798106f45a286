import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { look } from './look.ts';
import { type WorldSketch, well, worldOf } from './testing/world.ts';

const answersIn = (sketch: WorldSketch) => look.answers(worldOf(sketch).facts);

describe('what a look at etcd knows', () => {
  test('of a cluster that is well: where each member answers, and all that it said', () => {
    const { facts } = worldOf({ members: well(1, 2, 3) });
    const answers = look.answers(facts);
    assert.deepEqual(Object.keys(answers ?? {}), ['example-1', 'example-2', 'example-3']);
    assert.match(answers?.['example-2']?.address ?? '', /^[\d.]+:2379$/);
    assert.equal(answers?.['example-2']?.answer, facts.members['example-2']);
  });

  const doubtful: Record<string, WorldSketch> = {
    'a member does not answer': { members: [...well(1, 2), { number: 3, silent: true }] },
    'no member reaches quorum': { members: well(1, 2, 3), quorum: false },
    'a pod is going': { members: [...well(1, 2), { number: 3, pod: 'deleting' }] },
    // Its node may be why, of which no event tells.
    'a pod is not ready': { members: [...well(1, 2), { number: 3, podFact: { ready: false } }] },
    'a pod has no address': { members: [...well(1, 2), { number: 3, podFact: { ip: null } }] },
    'there is nobody to ask': { size: 1, members: [] },
    'pods could not be read': { members: well(1), facts: () => ({ pods: { ok: false, error: 'gone' } }) },
    'claims could not be read': { members: well(1), facts: () => ({ claims: { ok: false, error: '429' } }) },
    'services could not be read': {
      members: well(1),
      facts: () => ({ services: { ok: false, error: '429' } }),
    },
    'budgets could not be read': {
      members: well(1),
      facts: () => ({ budgets: { ok: false, error: '429' } }),
    },
  };
  for (const [why, sketch] of Object.entries(doubtful)) {
    test(`nothing where ${why}`, () => assert.equal(answersIn(sketch), undefined));
  }
});
