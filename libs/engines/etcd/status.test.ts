import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, Plan } from '../../engine/contract.ts';
import { etcdStatus } from './resource.ts';
import { planFor, well } from './testing/world.ts';

function condition({ status }: Plan, type: string): Pick<Condition, 'status' | 'reason'> | undefined {
  const found = status?.conditions.find((each) => each.type === type);
  return found && { status: found.status, reason: found.reason };
}

test('a well cluster is Running, Available, and neither recovering, scaling nor upgrading', () => {
  const plan = planFor({ members: well(1, 2, 3) });
  assert.equal(plan.status?.['phase'], 'Running');
  assert.deepEqual(plan.status?.['members'], { ready: ['example-1', 'example-2', 'example-3'], unready: [] });
  assert.equal(condition(plan, 'Available')?.status, 'True');
  for (const type of ['Recovering', 'Scaling', 'Upgrading'])
    assert.equal(condition(plan, type)?.status, 'False', type);
});

test('while its seeds come up it is Creating and not Available', () => {
  const plan = planFor({ size: 3, identity: null, services: 'none' });
  assert.equal(plan.status?.['phase'], 'Creating');
  assert.deepEqual(condition(plan, 'Available'), { status: 'False', reason: 'NotBootstrapped' });
});

test('with a silent member it is Available and recovering', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, silent: true }] });
  assert.equal(condition(plan, 'Available')?.status, 'True');
  assert.deepEqual(condition(plan, 'Recovering'), { status: 'True', reason: 'MemberUnhealthy' });
  assert.deepEqual(plan.status?.['members'], { ready: ['example-1', 'example-2'], unready: ['example-3'] });
});

test('without quorum it is Failed and says why', () => {
  const plan = planFor({ members: [...well(1), { number: 2, pod: 'none' }] });
  assert.equal(plan.status?.['phase'], 'Failed');
  assert.match(String(plan.status?.['reason']), /example-2 has no pod/);
  assert.deepEqual(condition(plan, 'Available'), { status: 'False', reason: 'QuorumLost' });
});

test('an election does not make it Failed, because it passes', () => {
  const plan = planFor({ members: well(1, 2, 3), quorum: false });
  assert.equal(plan.status?.['phase'], 'Running');
  assert.equal(condition(plan, 'Available')?.status, 'False');
});

test('a learner is unready and the cluster scaling', () => {
  const plan = planFor({ size: 3, members: [...well(1, 2), { number: 3, learner: true }] });
  assert.deepEqual(plan.status?.['members'], { ready: ['example-1', 'example-2'], unready: ['example-3'] });
  assert.deepEqual(condition(plan, 'Scaling'), { status: 'True', reason: 'LearnerJoining' });
});

test('a removed annotation does not make a running cluster look like a new one', () => {
  const plan = planFor({ members: well(1, 2, 3), identity: null });
  assert.equal(plan.status?.['phase'], 'Running');
  assert.equal(condition(plan, 'Available')?.status, 'True');
});

test('every status has the shape that the resource definition promises', () => {
  const sketches = [
    { size: 3, identity: null },
    { members: well(1, 2, 3) },
    { members: [...well(1), { number: 2, silent: true as const }] },
  ];
  for (const sketch of sketches) etcdStatus.parse(planFor(sketch).status);
});
