import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../engine/contract.ts';
import { budgetShape, disruptionBudget } from './budget.ts';
import { planFor, type Sketch, type WorldSketch, well } from './testing/world.ts';

/** What the plan does, and how many pods it wants to stay ready where it writes the budget. */
const said = (plan: Plan): string[] =>
  plan.steps.map(({ step, args }) => {
    const { spec } = (args as { object?: { spec?: { minAvailable?: number } } }).object ?? {};
    return spec?.minAvailable === undefined ? step : `${step} ${spec.minAvailable}`;
  });

const withoutBudget = (sketch: WorldSketch): string[] =>
  said(planFor({ ...sketch, facts: () => ({ budgets: { ok: true, value: [] } }) }));

test('a formed cluster gets a budget that lets go of one member, where three or more vote', () => {
  assert.deepEqual(withoutBudget({ members: well(1) }), ['applyBudget 1']);
  assert.deepEqual(withoutBudget({ members: well(1, 2) }), ['applyBudget 2']);
  assert.deepEqual(withoutBudget({ members: well(1, 2, 3) }), ['applyBudget 2']);
  assert.deepEqual(withoutBudget({ members: well(1, 2, 3, 4, 5) }), ['applyBudget 4']);
});

test('a learner is one more that must stay, and never makes up for a voter', () => {
  const learner: Sketch = { number: 3, learner: true, silent: true };
  assert.deepEqual(withoutBudget({ members: [...well(1, 2), learner] }), ['applyBudget 3']);
});

test('a pod that etcd does not list any more counts until it is gone, because it may still be ready', () => {
  const stranger: Sketch = { number: 4, unlisted: true };
  assert.deepEqual(withoutBudget({ size: 3, members: [...well(1, 2, 3), stranger] }), [
    'deletePod',
    'applyBudget 3',
  ]);
});

test('the budget is raised before a member is added, for a newcomer without learners votes at once', () => {
  assert.deepEqual(said(planFor({ size: 4, members: well(1, 2, 3) })).slice(0, 2), [
    'applyBudget 3',
    'addMember',
  ]);
});

test('it is raised before the third voter goes, because the other two must both stay', () => {
  assert.deepEqual(said(planFor({ size: 2, members: well(1, 2, 3) })), ['applyBudget 3', 'removeMember']);
  assert.deepEqual(said(planFor({ size: 4, members: well(1, 2, 3, 4, 5) })), ['removeMember']);
});

test('while a member restarts for an upgrade none is let go, also as long as its pod seems ready', () => {
  const plan = planFor({ members: well(1, 2, 3), spec: { version: '3.5.16' } });
  assert.deepEqual(said(plan), ['applyBudget 3', 'setImage']);
  const told: Sketch = { number: 3, podFact: { changedFrom: 'container', containerId: 'container' } };
  assert.deepEqual(withoutBudget({ members: [...well(1, 2), told] }).at(-1), 'applyBudget 3');
});

test('a budget of another shape is put back after all else, so that a refusal of it holds up no healing', () => {
  const changed = planFor({
    members: [...well(1, 2), { number: 3, pod: 'none' }],
    claims: true,
    facts: ({ budgets }) => ({
      budgets: budgets.ok
        ? { ok: true, value: budgets.value.map((budget) => ({ ...budget, shape: 'at least 0' })) }
        : budgets,
    }),
  });
  assert.deepEqual(said(changed), ['createPod', 'applyBudget 2']);
});

test('a budget that somebody gave the other kind of limit is made again, because the API server refuses both', () => {
  const edited = disruptionBudget({ namespace: 'default', name: 'example', uid: 'uid' }, 2);
  const { selector } = edited['spec'] as { selector: object };
  const shape = budgetShape({ ...edited, spec: { maxUnavailable: 1, selector } });
  const plan = planFor({
    members: well(1, 2, 3),
    facts: ({ budgets }) => ({
      budgets: budgets.ok
        ? { ok: true, value: budgets.value.map((budget) => ({ ...budget, shape })) }
        : budgets,
    }),
  });
  assert.deepEqual(said(plan), ['deleteBudget', 'applyBudget 2']);
});

test('without quorum the budget is left as it is, because nobody knows who the members are', () => {
  assert.deepEqual(withoutBudget({ members: well(1, 2, 3), quorum: false }), []);
});
