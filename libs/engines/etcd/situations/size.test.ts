import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstArgs, flagsOf, planFor, stepsOf, well } from '../testing/world.ts';

test('a cluster of the right size and version whose members all answer is healthy', () => {
  const plan = planFor({ members: well(1, 2, 3) });
  assert.deepEqual([plan.reason, plan.steps, plan.blocked], ['Healthy', [], undefined]);
  assert.equal(plan.message, 'all well: 3 of 3 voting members reach quorum');
});

test('one member is added at a time, as a learner, and its pod is told the whole list', () => {
  const plan = planFor({ size: 5, members: well(1, 2, 3) });
  assert.equal(plan.reason, 'ScaleOut');
  assert.deepEqual(stepsOf(plan), ['addMember example-4', 'recordIdentity formed 4', 'createPod example-4']);
  const { learner, members } = firstArgs<{ learner: boolean; members: string[] }>(plan);
  assert.deepEqual([learner, members], [true, ['id1', 'id2', 'id3']]);
  assert.equal(flagsOf(plan, 'example-4')['initial-cluster-state'], 'existing');
  assert.equal(flagsOf(plan, 'example-4')['initial-cluster']?.split(',').length, 4);
});

test('a number that was given is never given again, even if nothing of that member is left', () => {
  const plan = planFor({ size: 3, members: well(1, 2), identity: { lastNumber: 9 } });
  assert.equal(stepsOf(plan)[0], 'addMember example-10');
});

test('before etcd 3.4 a member joins with a vote, because there are no learners', () => {
  const plan = planFor({ size: 3, members: well(1), version: '3.2.13' });
  assert.equal(firstArgs<{ learner: boolean }>(plan).learner, false);
});

test('without learners nothing is added while a member is silent, because the newcomer needs quorum at once', () => {
  const plan = planFor({ size: 5, members: [...well(1, 2), { number: 3, silent: true }], version: '3.2.13' });
  assert.deepEqual([plan.reason, plan.steps], ['MemberUnhealthy', []]);
});

test('the youngest member that does not lead goes first', () => {
  const members = [...well(1, 2), { number: 3, leads: true as const }];
  const plan = planFor({ size: 1, members });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['ScaleIn', ['removeMember example-2']]);
});

test('a silent member goes before all that answer', () => {
  const members = [{ number: 1, leads: true as const }, { number: 2, silent: true as const }, ...well(3)];
  assert.deepEqual(stepsOf(planFor({ size: 2, members })), ['removeMember example-2']);
});

test('nobody is removed when the rest would not keep quorum', () => {
  const members = [...well(1, 2), { number: 3, silent: true as const }];
  const oneSilent = planFor({
    size: 1,
    members,
    // One more does not prove its quorum, although the leader does.
    facts: (facts) => {
      const second = facts.members['example-2'];
      if (!second) throw new Error('the sketch has no second member');
      return {
        members: { ...facts.members, 'example-2': { ...second, quorum: { ok: false, error: 'timed out' } } },
      };
    },
  });
  assert.deepEqual([oneSilent.reason, oneSilent.steps], ['ScaleIn', []]);
  assert.match(oneSilent.blocked?.evidence ?? '', /1 of 3 voting members reach quorum/);
});

test('a member that is silent for a while keeps its place', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, silent: true }] });
  assert.deepEqual([plan.reason, plan.steps, plan.blocked], ['MemberUnhealthy', [], undefined]);
  assert.match(plan.message, /not answering: example-3/);
});

test('a service that is missing or was changed is put back', () => {
  assert.deepEqual(stepsOf(planFor({ members: well(1), services: 'headless' })), [
    'applyService example-client',
  ]);
  const changed = planFor({
    members: well(1),
    facts: ({ services }) => ({
      services: services.ok
        ? {
            ok: true,
            value: services.value.map((service) => ({ ...service, shape: `${service.shape} other` })),
          }
        : services,
    }),
  });
  assert.deepEqual(stepsOf(changed), ['applyService example', 'applyService example-client']);
});
