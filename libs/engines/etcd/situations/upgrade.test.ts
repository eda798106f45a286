import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../../engine/contract.ts';
import type { PodFact } from '../facts.ts';
import type { Identity } from '../identity.ts';
import type { SetImage } from '../steps/image.ts';
import { firstArgs, planFor, type Sketch, stepsOf, type WorldSketch, well } from '../testing/world.ts';

const leader = (number: number, version?: string): Sketch => ({
  number,
  leads: true,
  ...(version && { version }),
});
const at = (version: string, ...numbers: number[]): Sketch[] =>
  numbers.map((number) => ({ number, version }));

/** The plan where 3.5.16 is wanted of a cluster that was made with 3.4.23. */
const upgradeOf = (members: Sketch[], sketch: WorldSketch = {}): Plan =>
  planFor({ members, spec: { version: '3.5.16' }, ...sketch });

const underWay: Partial<Identity> = { version: '3.5.16', upgradingFrom: '3.4.23' };
const recorded = (plan: Plan): Identity => firstArgs<{ identity: Identity }>(plan).identity;
const upgrading = (plan: Plan) => plan.status?.conditions.find(({ type }) => type === 'Upgrading');

test('a follower goes first, by its number, and all others must reach quorum before it restarts', () => {
  const plan = upgradeOf([leader(1), ...well(2, 3)]);
  assert.deepEqual([plan.reason, stepsOf(plan)], ['Upgrading', ['setImage example-2']]);
  const { image, version, voter } = firstArgs<SetImage>(plan);
  assert.deepEqual([image, version], ['quay.io/coreos/etcd:v3.5.16', '3.5.16']);
  assert.deepEqual([voter?.others.map(({ id }) => id), voter?.needed], [['id1', 'id3'], 2]);
  assert.equal(plan.steps.at(-1)?.disruptive, true);
});

test('a member that was changed and still is what it was counts as gone: nothing else is taken away', () => {
  const members = [
    leader(1),
    { number: 2, version: '3.5.16', runs: '3.4.23', changing: true as const },
    ...well(3),
  ];
  const plan = upgradeOf(members);
  assert.deepEqual([plan.reason, plan.steps, plan.blocked], ['Upgrading', [], undefined]);
  assert.match(plan.message, /0 of 3 members run 3\.5\.16; example-2 restarts/);
  const scaled = upgradeOf(members, { size: 1 });
  assert.deepEqual(stepsOf(scaled), ['removeMember example-2'], 'the one that ends anyway');
});

test('while the changed member restarts the others wait, and nobody speaks of recovery', () => {
  const plan = upgradeOf([leader(1), { number: 2, version: '3.5.16', silent: true }, ...well(3)]);
  assert.deepEqual([plan.reason, plan.steps], ['Upgrading', []]);
  const held = plan.status?.conditions.filter(({ status }) => status === 'True').map(({ type }) => type);
  assert.deepEqual(held, ['Available', 'Upgrading']);
});

test('a member that answers as the new one waits for Kubernetes to tell of its new container', () => {
  const before = { changedFrom: 'container' };
  const told = { changedFrom: 'container', containerId: 'the next container' };
  const planWith = (podFact: Partial<PodFact>) =>
    upgradeOf([leader(1), { number: 2, version: '3.5.16', podFact }, ...well(3)], { identity: underWay });
  const waits = planWith(before);
  assert.match(waits.message, /example-2 is not ready yet/);
  assert.ok(!stepsOf(waits).some((step) => step.startsWith('setImage')), stepsOf(waits).join());
  assert.deepEqual(stepsOf(planWith(told)), ['setImage example-3']);
});

test('a changed member that cannot start blocks the upgrade and says how to go back', () => {
  const trouble = 'ImagePullBackOff: not found';
  const plan = upgradeOf([leader(1), { number: 2, version: '3.5.16', trouble }, ...well(3)]);
  assert.deepEqual([plan.reason, plan.steps], ['Upgrading', []]);
  assert.match(plan.blocked?.evidence ?? '', /example-2.*ImagePullBackOff/);
  assert.match(plan.blocked?.action ?? '', /3\.4\.23 brings the member back/);
});

test('a version that cannot start is corrected where it was tried, also when no other member may restart', () => {
  const members = [leader(1), { number: 2, version: '3.5.99', trouble: 'ImagePullBackOff' }, ...well(3)];
  for (const version of ['3.4.23', '3.5.16']) {
    const plan = planFor({ members, spec: { version } });
    assert.deepEqual([plan.reason, stepsOf(plan)], ['VersionCorrected', ['setImage example-2']]);
    assert.equal(firstArgs<SetImage>(plan).version, version);
    assert.equal(firstArgs<SetImage>(plan).voter?.needed, 2);
  }
});

test('a member that merely is slow to answer is not restarted while another one restarts', () => {
  const members: Sketch[] = [
    ...[
      { ...leader(1), version: '3.5.16' },
      { number: 2, version: '3.5.17', silent: true as const },
    ],
    ...[{ number: 3, version: '3.4.23', silent: true as const, podFact: { ready: true } }, ...well(4, 5)],
  ];
  const more = { size: 5, spec: { version: '3.5.17' }, identity: underWay };
  assert.deepEqual(planFor({ members, ...more }).steps, []);
});

test('a version that cannot start is taken back where the next one is refused', () => {
  const members = [leader(1), { number: 2, version: '3.5.99', trouble: 'ImagePullBackOff' }, ...well(3)];
  const plan = planFor({ members, spec: { version: '3.9.0' } });
  assert.deepEqual([stepsOf(plan), firstArgs<SetImage>(plan).version], [['setImage example-2'], '3.4.23']);
});

test('the new version is recorded for new pods as soon as one member runs it, and not before', () => {
  const plan = upgradeOf([leader(1), ...at('3.5.16', 2), ...well(3)]);
  assert.deepEqual([plan.reason, stepsOf(plan)], ['VersionProven', ['recordIdentity formed 3']]);
  assert.deepEqual([recorded(plan).version, recorded(plan).upgradingFrom], ['3.5.16', '3.4.23']);
});

test('the last one hands its leadership to a member that is done, and then restarts as a follower', () => {
  const handover = upgradeOf([leader(1), ...at('3.5.16', 2, 3)], { identity: underWay });
  assert.deepEqual(stepsOf(handover), ['moveLeader example-2']);
  const last = upgradeOf([...well(1), leader(2, '3.5.16'), ...at('3.5.16', 3)], { identity: underWay });
  assert.deepEqual(stepsOf(last), ['setImage example-1']);
});

test('when all run it the upgrade is complete, and then all is well', () => {
  const members = at('3.5.16', 1, 2, 3);
  const plan = upgradeOf(members, { identity: underWay });
  assert.deepEqual([plan.reason, recorded(plan).upgradingFrom], ['UpgradeComplete', undefined]);
  assert.equal(upgrading(plan)?.status, 'True');
  const after = upgradeOf(members, { identity: { version: '3.5.16' } });
  assert.deepEqual([after.reason, upgrading(after)?.status], ['Healthy', 'False']);
  assert.equal(after.status?.['currentVersion'], '3.5.16');
});

test('status tells how far it is, from where and to what', () => {
  const { status } = upgradeOf([leader(1), ...at('3.5.16', 2), ...well(3)], { identity: underWay });
  const condition = status?.conditions.find(({ type }) => type === 'Upgrading');
  assert.deepEqual([condition?.status, condition?.message], ['True', '1 of 3 members run 3.5.16']);
  assert.deepEqual([status?.['currentVersion'], status?.['targetVersion']], ['3.4.23', '3.5.16']);
});

test('nobody restarts while another member does not answer', () => {
  const plan = upgradeOf([leader(1), ...well(2, 3, 4), { number: 5, silent: true }]);
  assert.deepEqual([plan.reason, plan.steps], ['MemberUnhealthy', []]);
});

test('nobody restarts before Kubernetes finds the one before ready, so that clients are led to it', () => {
  const back = { number: 2, version: '3.5.16', podFact: { ready: false } };
  const plan = upgradeOf([leader(1), back, ...well(3)], { identity: underWay });
  assert.deepEqual([plan.reason, plan.steps], ['Upgrading', []]);
  assert.match(plan.message, /example-2 is not ready yet/);
});

test('size comes first where both are edited, with the version that runs', () => {
  const plan = upgradeOf(well(1, 2, 3), { size: 5 });
  assert.equal(plan.reason, 'ScaleOut');
  assert.match(JSON.stringify(plan.steps), /etcd:v3\.4\.23/);
});

test('one or two members are not restarted, because that takes quorum away, and it says what to do', () => {
  for (const members of [well(1), well(1, 2)]) {
    const plan = upgradeOf(members);
    assert.deepEqual([plan.reason, plan.steps], ['Upgrading', []]);
    assert.match(plan.blocked?.action ?? '', /spec\.size to 3/);
    assert.equal(upgrading(plan)?.status, 'False');
  }
});

test('where the cluster has shrunk in the middle of an upgrade, the version to go back to is that of before', () => {
  const plan = upgradeOf(well(1), { identity: underWay });
  assert.match(plan.blocked?.action ?? '', /spec\.version back to 3\.4\.23/);
});

test('versions that etcd does not allow are refused with rule, evidence and what to do', () => {
  const refused = (members: Sketch[], version: string, action: RegExp, identity?: Partial<Identity>) => {
    const plan = planFor({ members, spec: { version }, ...(identity && { identity }) });
    assert.deepEqual([plan.reason, plan.steps], ['VersionRefused', []], version);
    assert.match(plan.blocked?.action ?? '', action);
    assert.equal(upgrading(plan)?.status, 'False');
  };
  refused(well(1, 2, 3), '3.6.1', /3\.5 first/);
  refused(at('3.5.25', 1, 2, 3), '3.6.1', /3\.5\.26 first/, { version: '3.5.25' });
  refused(well(1, 2, 3), '3.3.10', /snapshot/);
  refused(well(1, 2, 3), '4.0.0', /version of 3/);
  refused(at('3.5.16', 1, 2, 3), '3.4.23', /3\.5\.16/, { version: '3.5.16' });
  // In the middle of an upgrade the cluster is still what its oldest member is.
  refused([...at('3.5.16', 1, 2), ...well(3)], '3.6.1', /3\.5 first/, underWay);
  // The last member has been told already, so the cluster may become 3.5 at any moment.
  const told = { number: 3, version: '3.5.16', runs: '3.4.23', changing: true as const };
  refused([...at('3.5.16', 1, 2), told], '3.4.23', /3\.5\.16/, underWay);
});

test('from 3.5 to 3.6 goes who has the 3.5 that prepares for it', () => {
  const identity = { version: '3.5.26' };
  const plan = planFor({ members: at('3.5.26', 1, 2, 3), spec: { version: '3.6.1' }, identity });
  assert.deepEqual(stepsOf(plan), ['setImage example-2']);
});

test('an upgrade can be taken back while a member still runs the old version', () => {
  const members = [...at('3.5.16', 1), leader(2), ...well(3)];
  const first = planFor({ members, spec: { version: '3.4.23' }, identity: underWay });
  assert.deepEqual([first.reason, recorded(first).version], ['VersionProven', '3.4.23']);
  const identity = { version: '3.4.23', upgradingFrom: '3.5.16' };
  const then = planFor({ members, spec: { version: '3.4.23' }, identity });
  assert.deepEqual(stepsOf(then), ['setImage example-1']);
});

test('patch releases go both ways', () => {
  for (const version of ['3.4.22', '3.4.30'])
    assert.deepEqual(stepsOf(planFor({ members: well(1, 2, 3), spec: { version } })), ['setImage example-2']);
});

test('another build of the same version is for new pods, and restarts nobody', () => {
  const plan = planFor({ members: well(1, 2, 3), spec: { version: '3.4.23-arm64' } });
  assert.deepEqual([plan.reason, recorded(plan).upgradingFrom], ['VersionProven', undefined]);
  const identity = { version: '3.4.23-arm64' };
  assert.equal(planFor({ members: well(1, 2, 3), spec: identity, identity }).reason, 'Healthy');
});

test('an image that holds another version than its tag says stops the upgrade', () => {
  const podFact = { changedFrom: 'the container before' };
  const member = { number: 2, version: '3.5.16', runs: '3.4.23', podFact };
  const plan = upgradeOf([leader(1), member, ...well(3)]);
  assert.deepEqual([plan.reason, plan.steps], ['ImageHoldsOtherVersion', []]);
  assert.match(plan.blocked?.evidence ?? '', /v3\.5\.16 of example-2 runs etcd 3\.4\.23/);
});

test('where every tag holds the same etcd, the version that is recorded is not refused', () => {
  const as = (version: string, ...numbers: number[]): Sketch[] =>
    numbers.map((number) => ({ number, version, runs: '3.4.23' }));
  const [identity, spec] = [{ version: '3.2.13' }, { version: '3.2.13' }];
  assert.equal(planFor({ members: as('3.2.13', 1, 2, 3), identity, spec }).reason, 'Healthy');
  const tried = [...as('3.2.13', 1), ...as('3.5.16', 2), ...as('3.2.13', 3)];
  assert.deepEqual(stepsOf(planFor({ members: tried, identity, spec })), ['setImage example-2']);
});

test('without quorum a member that does not run with the version it was changed to returns with the recorded one', () => {
  const members = [
    ...well(1),
    { number: 2, version: '3.5.99', trouble: 'ImagePullBackOff' },
    { number: 3, silent: true as const },
  ];
  const plan = planFor({ members, spec: { version: '3.5.99' } });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['QuorumLost', ['setImage example-2']]);
  assert.equal(firstArgs<SetImage>(plan).version, '3.4.23');
});

test('while an upgrade to 3.4 is under way there are no learners, because the old ones know none', () => {
  const members = [
    ...at('3.4.23', 1, 2),
    { number: 3, pod: 'deleting' as const, version: '3.3.10' },
    ...at('3.4.23', 4),
  ];
  const identity = { version: '3.4.23', upgradingFrom: '3.3.10' };
  const plan = planFor({ members, size: 5, identity, spec: { version: '3.4.23' } });
  const added = plan.steps.find(({ step }) => step === 'addMember')?.args;
  assert.equal((added as { learner: boolean } | undefined)?.learner, false);
});
