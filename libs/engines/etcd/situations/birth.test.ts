import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identity } from '../identity.ts';
import {
  firstArgs,
  flagsOf,
  planFor,
  type Sketch,
  stepsOf,
  strayClaim,
  uid,
  type WorldSketch,
  well,
  worldOf,
} from '../testing/world.ts';

test('a new cluster is recorded first, then all its seeds start at once with the same list', () => {
  const plan = planFor({ size: 3, identity: null, services: 'none' });
  assert.equal(plan.reason, 'NotBootstrapped');
  assert.deepEqual(stepsOf(plan), [
    'recordIdentity unformed 3',
    'applyService example',
    'createPod example-1',
    'createPod example-2',
    'createPod example-3',
  ]);
  const flags = flagsOf(plan, 'example-2');
  assert.equal(flags['initial-cluster-state'], 'new');
  assert.equal(flags['initial-cluster'], flagsOf(plan, 'example-3')['initial-cluster']);
  assert.equal(flags['initial-cluster']?.split(',').length, 3);
  assert.equal(flags['initial-cluster-token'], uid);
});

test('with claims, each seed gets its claim before its pod', () => {
  const plan = planFor({ size: 1, claims: true, identity: null, services: 'none' });
  assert.deepEqual(stepsOf(plan).slice(-2), ['createClaim example-1', 'createPod example-1']);
});

test('a seed that was not made yet is made, because the cluster has not formed', () => {
  const members = [...well(1, 2).map((seed) => ({ ...seed, silent: true as const }))];
  const plan = planFor({
    size: 3,
    members,
    identity: { formed: false, seeds: 3, lastNumber: 3 },
    services: 'headless',
  });
  assert.equal(plan.reason, 'Seeding');
  assert.deepEqual(stepsOf(plan), ['createPod example-3']);
  assert.equal(flagsOf(plan, 'example-3')['initial-cluster-state'], 'new');
});

test('the number of seeds is the recorded one, even if the size was changed meanwhile', () => {
  const plan = planFor({
    size: 5,
    identity: { formed: false, seeds: 3, lastNumber: 3 },
    services: 'headless',
  });
  assert.deepEqual(stepsOf(plan), ['createPod example-1', 'createPod example-2', 'createPod example-3']);
});

test('when all seeds reach quorum, that is recorded before clients get their service', () => {
  const plan = planFor({ members: well(1, 2, 3), identity: { formed: false }, services: 'headless' });
  assert.deepEqual(stepsOf(plan), ['recordIdentity formed 3', 'applyService example-client']);
});

test('one late seed is waited for at first, and after a while a quorum of seeds is enough', () => {
  const members = [...well(1, 2), { number: 3, unstarted: true as const }];
  const sketch = { members, identity: { formed: false }, services: 'headless' as const };
  const early = planFor({ ...sketch, ageSeconds: 5 });
  assert.deepEqual([early.reason, stepsOf(early)], ['Seeding', []]);
  assert.match(early.message, /2 of 3 seeds reach quorum; waiting for example-3/);
  assert.equal(stepsOf(planFor({ ...sketch, ageSeconds: 30 }))[0], 'recordIdentity formed 3');
});

test('a seed that took part and lost its data does not begin again, because the others still know it', () => {
  const members = [...well(1, 2), { number: 3, pod: 'none' as const }];
  const plan = planFor({ members, identity: { formed: false }, services: 'headless', ageSeconds: 5 });
  assert.deepEqual(stepsOf(plan), ['recordIdentity formed 3', 'applyService example-client']);
});

test('too many seeds that come back empty block the birth, because none of them may begin again', () => {
  const trouble = 'CrashLoopBackOff (exit code 1: member 1 has already been bootstrapped)';
  const members = [{ number: 1, trouble }, { number: 2, trouble }, { number: 3 }];
  const plan = planFor({ members, identity: { formed: false }, services: 'headless' });
  assert.deepEqual(stepsOf(plan), []);
  assert.match(plan.blocked?.evidence ?? '', /example-1: .*already been bootstrapped/);
});

test('a claim deleted before its seed was scheduled is made again, because the pod waits for it', () => {
  const members = [{ number: 1, claim: 'none' as const, trouble: 'Unschedulable' }];
  const plan = planFor({ members, claims: true, identity: { formed: false }, services: 'headless' });
  assert.deepEqual(stepsOf(plan), ['createClaim example-1']);
});

test('nothing is touched while the cluster is paused, even if members are missing', () => {
  const plan = planFor({ size: 3, members: well(1), spec: { paused: true }, services: 'none' });
  assert.deepEqual([plan.reason, plan.steps], ['Paused', []]);
  assert.equal(plan.status?.['controlPaused'], true);
});

test('a name that can be no service is refused with the field named, before anything is made', () => {
  const plan = planFor({ size: 3, identity: null, services: 'none', facts: () => ({ name: 'my.etcd' }) });
  assert.deepEqual([plan.reason, plan.steps], ['InvalidName', []]);
  assert.match(plan.blocked?.evidence ?? '', /metadata\.name/);
});

test('a removed annotation is written again and nothing bootstrapped, because members exist', () => {
  const plan = planFor({ members: well(2, 3, 4), identity: null });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['IdentityLost', ['recordIdentity formed 4']]);
});

test('the version is put back as the oldest of the members, since a newer one may not run at all', () => {
  const tried: Sketch = { number: 1, version: '3.5.99', trouble: 'ImagePullBackOff' };
  const plan = planFor({ members: [tried, ...well(2, 3)], version: '3.4.23', identity: null });
  assert.equal(firstArgs<{ identity: Identity }>(plan).identity.version, '3.4.23');
});

test('with annotation and members removed by hand, the services still tell that the cluster has lived', () => {
  const plan = planFor({ size: 3, identity: null });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['IdentityLost', ['recordIdentity formed 0']]);
});

test('a damaged annotation with nothing else left blocks, because the cluster may have lived', () => {
  const plan = planFor({ size: 3, identity: '{"seeds":', services: 'none' });
  assert.deepEqual([plan.reason, plan.steps], ['IdentityDamaged', []]);
  assert.match(plan.blocked?.rule ?? '', /never bootstrapped twice/);
});

test('what a deleted resource of the same name left goes first, pods before claims', () => {
  const older = worldOf({ members: well(1, 2), claims: true });
  const left = <Fact extends { ownerUid: string | null }>(fact: Fact): Fact => ({
    ...fact,
    ownerUid: 'older',
  });
  const pods = older.facts.pods.ok ? older.facts.pods.value.map(left) : [];
  const claims = older.facts.claims.ok ? older.facts.claims.value.map(left) : [];
  const both = { pods: { ok: true as const, value: pods }, claims: { ok: true as const, value: claims } };
  const first = planFor({ size: 1, identity: null, services: 'none', facts: () => both });
  assert.deepEqual(
    [first.reason, stepsOf(first)],
    ['PredecessorLeft', ['deletePod example-1', 'deletePod example-2']],
  );
  const then = planFor({ size: 1, identity: null, services: 'none', facts: () => ({ claims: both.claims }) });
  assert.deepEqual(stepsOf(then), ['deleteClaim example-1', 'deleteClaim example-2']);
});

test('an object that carries the labels but has no owner blocks, because it is neither used nor deleted', () => {
  const facts = () => ({ claims: { ok: true as const, value: [strayClaim] } });
  const plan = planFor({ size: 1, identity: null, services: 'none', facts });
  assert.deepEqual([plan.reason, plan.steps], ['PredecessorLeft', []]);
  assert.match(plan.blocked?.evidence ?? '', /claim example-1/);
});

test('an identity of before the cluster has formed is corrected, and no second cluster is seeded beside it', () => {
  const unformed = { formed: false, seeds: 5, lastNumber: 1 };
  const members = well(1, 2, 3);
  const evidences: [evidence: RegExp, sketch: WorldSketch][] = [
    [/service example-client exists/, { members }],
    [
      /service example-client exists/,
      { members: members.map((each) => ({ ...each, silent: true as const })) },
    ],
    [/budget example exists/, { members, facts: () => ({ services: { ok: true, value: [] } }) }],
    [
      /not the 5 that it was seeded with/,
      { members, facts: () => ({ services: { ok: true, value: [] }, budgets: { ok: true, value: [] } }) },
    ],
  ];
  for (const [evidence, sketch] of evidences) {
    const plan = planFor({ ...sketch, identity: unformed });
    assert.equal(plan.reason, 'IdentityOutdated');
    assert.match(plan.message, evidence);
    assert.deepEqual(
      plan.steps.map(({ step, args }) => [step, (args as { identity: object }).identity]),
      [['recordIdentity', { ...unformed, version: '3.4.23', lastNumber: 3, formed: true }]],
    );
  }
});

test('an identity with numbers that no cluster reaches is damaged', () => {
  for (const wrong of [
    { seeds: 100 },
    { lastNumber: Number.MAX_SAFE_INTEGER },
    { lastNumber: 999_999_999 },
  ]) {
    const plan = planFor({ members: well(1, 2, 3), identity: wrong });
    assert.equal(plan.reason, 'IdentityLost', JSON.stringify(wrong));
  }
});
