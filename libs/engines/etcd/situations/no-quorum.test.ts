import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagsOf, planFor, stepsOf, well } from '../testing/world.ts';

test('a majority that answers without quorum is electing a leader, and that is waited for', () => {
  const plan = planFor({ members: well(1, 2, 3), quorum: false });
  assert.deepEqual([plan.reason, plan.steps, plan.blocked], ['Electing', [], undefined]);
});

test('lost quorum is said with evidence and a way out, and nothing is taken away', () => {
  const members = [{ number: 1 }, { number: 2, pod: 'none' as const }, { number: 3, pod: 'none' as const }];
  const plan = planFor({ members });
  assert.deepEqual([plan.reason, plan.steps], ['QuorumLost', []]);
  assert.match(plan.blocked?.rule ?? '', /2 of 3 must answer/);
  assert.equal(
    plan.blocked?.evidence,
    'example-1 answers, without quorum; example-2 has no pod and no claim; example-3 has no pod and no claim',
  );
  assert.match(plan.blocked?.action ?? '', /snapshot/);
  assert.equal(plan.status?.['phase'], 'Failed');
});

test('members whose claims keep their data are started again, which can only help', () => {
  const members = [{ number: 1 }, { number: 2, pod: 'none' as const }, { number: 3, pod: 'none' as const }];
  const plan = planFor({ members, claims: true });
  assert.deepEqual(stepsOf(plan), ['createPod example-2', 'createPod example-3']);
  assert.match(flagsOf(plan, 'example-2')['initial-cluster'] ?? '', /^example-2=[^,]*$/);
});

test('pods that have ended for good make room, where a claim keeps the data and only there', () => {
  const members = [1, 2, 3].map((number) => ({ number, pod: 'ended' as const }));
  assert.deepEqual(stepsOf(planFor({ members, claims: true })), [
    'deletePod example-1',
    'deletePod example-2',
    'deletePod example-3',
  ]);
  assert.deepEqual(planFor({ members }).steps, []);
});

test('when every pod and claim is gone the cluster is lost, and not bootstrapped again', () => {
  const members = [1, 2, 3].map((number) => ({ number, pod: 'none' as const }));
  const plan = planFor({ members });
  assert.deepEqual([plan.reason, plan.steps], ['QuorumLost', []]);
  assert.equal(plan.blocked?.evidence, 'every pod and every claim of its members is gone');
});

test('the second voter of an etcd without learners is started, because the first has all that was agreed on', () => {
  const members = [{ number: 1 }, { number: 2, pod: 'none' as const, unstarted: true as const }];
  const plan = planFor({ members, version: '3.2.13' });
  assert.deepEqual(stepsOf(plan), ['createPod example-2']);
  assert.equal(flagsOf(plan, 'example-2')['initial-cluster']?.split(',').length, 2);
});

test('its claim may have been made before: on that, too, it joins, because it has no data to return with', () => {
  const members = [{ number: 1 }, { number: 2, pod: 'none' as const, unstarted: true as const }];
  const plan = planFor({ members, version: '3.2.13', claims: true });
  assert.deepEqual(stepsOf(plan), ['createPod example-2']);
  assert.equal(flagsOf(plan, 'example-2')['initial-cluster']?.split(',').length, 2);
});

test('two of three that never started are not started empty, because only a majority knows what was agreed on', () => {
  const gone = { pod: 'none' as const, unstarted: true as const };
  const plan = planFor({ members: [{ number: 1 }, { number: 2, ...gone }, { number: 3, ...gone }] });
  assert.deepEqual(plan.steps, []);
});

test('members that each reach a quorum of their own are left alone, because two clusters have one name', () => {
  const plan = planFor({
    members: well(1, 2, 3),
    facts: ({ members }) => {
      const first = members['example-1'];
      if (!first?.members.ok) throw new Error('the sketch has no first member');
      const alone = { ok: true as const, value: first.members.value.slice(0, 1) };
      return { members: { ...members, 'example-1': { ...first, members: alone } } };
    },
  });
  assert.deepEqual([plan.reason, plan.steps], ['MembersDisagree', []]);
});

test('services are put back even without quorum', () => {
  const plan = planFor({ members: well(1, 2, 3), quorum: false, services: 'headless' });
  assert.deepEqual(stepsOf(plan), ['applyService example-client']);
});
