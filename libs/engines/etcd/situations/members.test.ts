import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstArgs, flagsOf, idOf, planFor, stepsOf, well } from '../testing/world.ts';

test('a deleted pod whose claim keeps the data returns under its own name with that data', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, pod: 'none' }], claims: true });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['MemberReturning', ['createPod example-3']]);
  assert.equal(flagsOf(plan, 'example-3')['initial-cluster-state'], 'existing');
  assert.match(flagsOf(plan, 'example-3')['initial-cluster'] ?? '', /^example-3=[^,]*$/);
});

test('a pod that is only being deleted is waited for, because its process may still run', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, pod: 'deleting' }] });
  assert.deepEqual([plan.reason, plan.steps], ['MemberUnhealthy', []]);
});

test('a deleted pod without a claim took its data along, so the member is removed', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, pod: 'none' }] });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['MemberLost', ['removeMember example-3']]);
  assert.deepEqual(firstArgs(plan), {
    id: 'id3',
    name: 'example-3',
    isLearner: false,
    others: [
      { id: 'id1', endpoint: '10.0.0.1:2379' },
      { id: 'id2', endpoint: '10.0.0.2:2379' },
    ],
  });
});

test('of two lost members of five, only one is removed at a time', () => {
  const members = [
    ...well(1, 2, 3),
    { number: 4, pod: 'none' as const },
    { number: 5, pod: 'none' as const },
  ];
  assert.deepEqual(stepsOf(planFor({ members })), ['removeMember example-4']);
});

test('a returning member that finds its folder empty is lost, by the word of etcd itself', () => {
  const trouble =
    'CrashLoopBackOff (exit code 1: cannot fetch cluster info from peer urls: could not retrieve)';
  const plan = planFor({ members: [...well(1, 2), { number: 3, trouble }], claims: true });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['MemberLost', ['removeMember example-3']]);
});

test('a seed that came back empty is lost, because the others say that it was a member before', () => {
  const trouble = 'CrashLoopBackOff (exit code 1: member bba59dc70c89428b has already been bootstrapped)';
  const plan = planFor({ members: [...well(1, 2), { number: 3, trouble }] });
  assert.deepEqual(stepsOf(plan), ['removeMember example-3']);
});

test('a newcomer that was told of other members than there are now can never start, so it is given up', () => {
  const trouble =
    'CrashLoopBackOff (exit code 1: error validating peerURLs {ClusterID:acf7): member count is unequal)';
  const plan = planFor({
    size: 3,
    members: [...well(1, 2), { number: 3, learner: true, unstarted: true, trouble }],
  });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['LearnerJoining', ['removeMember example-3']]);
});

test('a voter that never got its pod is removed and not started, because only its claim could prove it empty', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, pod: 'none', unstarted: true }] });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['MemberLost', ['removeMember example-3']]);
});

test('of several lost members one that never started goes first, because it is a change in flight', () => {
  const members = [...well(1, 2, 3), { number: 4, pod: 'none' as const }];
  const plan = planFor({ members: [...members, { number: 5, pod: 'none', unstarted: true }] });
  assert.deepEqual(stepsOf(plan), ['removeMember example-5']);
});

test('a member that just crashes keeps its place, because its data is there', () => {
  const members = [...well(1, 2), { number: 3, trouble: 'CrashLoopBackOff (exit code 2: disk full)' }];
  const plan = planFor({ members });
  assert.deepEqual([plan.reason, plan.steps], ['MemberUnhealthy', []]);
  assert.match(plan.message, /example-3 \(CrashLoopBackOff .*disk full/);
});

test('a member whose claim is gone before its pod could start is lost', () => {
  const members = [...well(1, 2), { number: 3, claim: 'none' as const, trouble: 'Unschedulable' }];
  assert.deepEqual(stepsOf(planFor({ members, claims: true })), ['removeMember example-3']);
});

test('a pod that has ended for good makes room for its successor', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, pod: 'ended' }], claims: true });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['PodFinished', ['deletePod example-3']]);
});

test('of what etcd does not list the pod goes first, after members have confirmed it again', () => {
  const plan = planFor({ size: 3, members: [...well(1, 2, 3), { number: 4, unlisted: true }], claims: true });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['NotListed', ['deletePod example-4']]);
  const { unlisted, uid } = firstArgs<{ unlisted: { endpoints: string[] }; uid: string }>(plan);
  assert.deepEqual([uid, unlisted.endpoints], ['pod-4', ['10.0.0.1:2379', '10.0.0.2:2379', '10.0.0.3:2379']]);
});

test('then goes its claim, with the same proof', () => {
  const members = [...well(1, 2, 3), { number: 4, pod: 'none' as const, unlisted: true as const }];
  const plan = planFor({ size: 3, members, claims: true });
  assert.deepEqual(stepsOf(plan), ['deleteClaim example-4']);
  assert.match(JSON.stringify(plan.steps[0]?.args), /"unlisted"/);
});

test('a learner that was added but never got its pod gets it, with the whole list of members', () => {
  const members = [
    ...well(1, 2),
    { number: 3, pod: 'none' as const, learner: true as const, unstarted: true as const },
  ];
  const plan = planFor({ size: 3, members });
  assert.deepEqual(stepsOf(plan), ['createPod example-3']);
  assert.equal(flagsOf(plan, 'example-3')['initial-cluster']?.split(',').length, 3);
});

test('before anything is made under a number that is not recorded, the number is recorded', () => {
  const members = [
    ...well(1, 2),
    { number: 3, pod: 'none' as const, learner: true as const, unstarted: true as const },
  ];
  const plan = planFor({ size: 3, members, identity: { lastNumber: 2 } });
  assert.deepEqual(stepsOf(plan), ['recordIdentity formed 3', 'createPod example-3']);
});

test('a learner that answers is promoted, and etcd judges whether it has caught up', () => {
  const plan = planFor({ size: 3, members: [...well(1, 2), { number: 3, learner: true }] });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['LearnerJoining', ['promoteMember example-3']]);
});

test('a learner that does not answer yet is waited for, and nothing else is changed meanwhile', () => {
  const members = [...well(1, 2, 3), { number: 4, learner: true as const, silent: true as const }];
  const plan = planFor({ size: 5, members });
  assert.deepEqual([plan.reason, plan.steps], ['LearnerJoining', []]);
});

test('a learner that lost its data before it could vote is given up', () => {
  const members = [...well(1, 2), { number: 3, learner: true as const, pod: 'none' as const }];
  assert.deepEqual(stepsOf(planFor({ size: 3, members })), ['removeMember example-3']);
});

test('a learner that is not wanted any more is given up', () => {
  const members = [...well(1, 2, 3), { number: 4, learner: true as const }];
  assert.deepEqual(stepsOf(planFor({ size: 3, members })), ['removeMember example-4']);
});

test('a silent learner is given up for a lost member, because that one must be replaced first', () => {
  const members = [
    ...well(1, 2),
    { number: 3, pod: 'none' as const },
    { number: 4, learner: true as const, silent: true as const },
  ];
  assert.deepEqual(stepsOf(planFor({ size: 5, members })), ['removeMember example-4']);
});

test('a voter that has not started is waited for', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, unstarted: true }] });
  assert.deepEqual([plan.reason, plan.steps], ['MemberStarting', []]);
});

test('a voter that does not start is given up when fewer are wanted or another is lost', () => {
  const members = [...well(1, 2, 3, 4), { number: 5, unstarted: true as const }];
  assert.deepEqual(stepsOf(planFor({ size: 3, members })), ['removeMember example-5']);
  const withLoss = [
    ...well(1, 2, 3),
    { number: 4, pod: 'none' as const },
    { number: 5, unstarted: true as const },
  ];
  assert.deepEqual(stepsOf(planFor({ size: 5, members: withLoss })), ['removeMember example-5']);
});

test('a member whose claim is being deleted is replaced while the others have all its data', () => {
  const plan = planFor({ members: [...well(1, 2), { number: 3, claim: 'deleting' }], claims: true });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['ClaimGoing', ['removeMember example-3']]);
});

test('its replacement waits while another member does not answer', () => {
  const members = [
    { number: 1 },
    { number: 2, silent: true as const },
    { number: 3, claim: 'deleting' as const },
  ];
  const plan = planFor({ members, claims: true });
  assert.deepEqual([plan.reason, plan.steps], ['ClaimGoing', []]);
  assert.match(plan.blocked?.rule ?? '', /keeps quorum/);
});

test('the claim of the only member is the only copy: blocked, until the size lets others copy it', () => {
  const members = [{ number: 1, claim: 'deleting' as const }];
  const blocked = planFor({ members, claims: true });
  assert.deepEqual(blocked.steps, []);
  assert.match(blocked.blocked?.action ?? '', /spec\.size to 3/);
  assert.equal(planFor({ size: 3, members, claims: true }).reason, 'ScaleOut');
});

test('leadership is moved before the leader is removed', () => {
  const members = [{ number: 1, claim: 'deleting' as const, leads: true as const }, ...well(2, 3)];
  const plan = planFor({ members, claims: true });
  assert.deepEqual(stepsOf(plan), ['moveLeader example-2']);
  assert.deepEqual(plan.steps[0]?.args, {
    endpoint: '10.0.0.1:2379',
    leaderId: idOf({ number: 1 }),
    targetId: idOf({ number: 2 }),
    targetName: 'example-2',
  });
});

test('a leader that does not answer us is not removed, because the others still follow it', () => {
  const plan = planFor({
    size: 3,
    members: well(1, 2, 3, 4),
    facts: (facts) => {
      const silence = { ok: false as const, error: 'timed out' };
      return {
        members: { ...facts.members, 'example-1': { status: silence, quorum: silence, members: silence } },
      };
    },
  });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['ScaleIn', ['removeMember example-4']]);
});

test('at most one step of any of these plans is disruptive', () => {
  const members = [
    ...well(1, 2, 3),
    { number: 4, pod: 'none' as const },
    { number: 5, pod: 'none' as const },
  ];
  assert.equal(planFor({ members }).steps.filter((step) => step.disruptive).length, 1);
});
