import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { readBlocked } from '../../libs/engine/blocked.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { spareOf } from '../../libs/engine/forecast.ts';
import { subjectOf } from '../../libs/engine/subject.ts';
import type { EtcdFacts } from '../../libs/engines/etcd/facts.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import type { Foreseen } from '../../services/cli/foresee/foresee.ts';
import { newerVersion } from '../etcd-root.ts';
import { until } from '../wait.ts';
import { createCluster, specOf, type TestCluster } from './cluster.ts';
import { loseAtOnce } from './lose.ts';
import { leads } from './passes.ts';
import { conditionOf, type EtcdClusterStatus, etcdCluster, openStage } from './stage.ts';

// What `quorate plan` says of an edit, beside what the workers then do for it.

const seen = await openStage({ newerEtcd: true });
const { stage, watched } = seen;

const main = join(import.meta.dirname, '../../services/cli/main.ts');

async function quorate(
  args: string[],
  input: object,
): Promise<{ code: number | null; out: string; said: string }> {
  const environment = { ...process.env, KUBECONFIG: stage.kubeconfigPath };
  const child = spawn(process.execPath, [main, ...args], { env: environment });
  child.stdin.end(stringify(input));
  const code = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, said };
}

/** What the command says of an edit; asked again, as it asks for, where a busy machine kept all members from answering it. */
const foresee = (manifest: object): Promise<Foreseen> =>
  until(
    'members answer the command',
    async () => {
      const { code, out, said } = await quorate(['plan', '--json', '-f', '-'], manifest);
      if (said.includes('members do not answer here')) return undefined;
      assert.equal(code, 0, said);
      const [foreseen] = JSON.parse(out) as Foreseen[];
      return foreseen ?? assert.fail('nothing was planned');
    },
    150_000,
  );

/** The same, once every member answers: one that is slow to is taken for away. */
const foreseeOfAll = (manifest: object): Promise<Foreseen> =>
  until(
    'all members answer',
    async () => {
      const foreseen = await foresee(manifest);
      return foreseen.forecast.margin?.away.length === 0 && foreseen;
    },
    150_000,
  );

interface Step {
  step: string;
  subject: string | undefined;
}

/** The steps of these passes that changed something, e.g. not a promotion that came too early. */
const stepsDone = (passes: readonly Decision[]): Step[] =>
  passes.flatMap(({ steps, plan }) =>
    steps.flatMap(({ step, outcome }, index) =>
      outcome === 'done' ? [{ step, subject: subjectOf(plan?.steps[index]?.args) }] : [],
    ),
  );

const onMembership = new Set(['addMember', 'promoteMember', 'removeMember', 'moveLeader', 'setImage']);

/**
 * Fails unless both are the same, step for step: all that touches membership in one order, and for each object all
 * its steps in their order. Between objects there may be others: Kubernetes takes its time to end a pod, and the next
 * member need not wait for that. For the same reason the disruption budget may be lowered in one go or in two.
 */
function compare(foreseen: readonly Step[], done: readonly Step[]): void {
  const told = ({ step, subject }: Step) => `${step} ${subject ?? ''}`.trim();
  const counted = (steps: readonly Step[]) => steps.filter(({ step }) => step !== 'applyBudget');
  const membership = (steps: readonly Step[]) => steps.filter(({ step }) => onMembership.has(step)).map(told);
  const bySubject = (steps: readonly Step[]) =>
    Object.fromEntries(
      [...Map.groupBy(counted(steps), ({ subject = 'the resource' }) => subject)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([subject, its]) => [subject, its.map(told)]),
    );
  assert.deepEqual(membership(done), membership(foreseen));
  assert.deepEqual(bySubject(done), bySubject(foreseen));
}

/** All that a resource asks for; its status may change beside what a test does. */
function askedBy(resource: KubeObject | undefined): object {
  const { uid, generation, labels, annotations } = resource?.metadata ?? {};
  return { uid, generation, labels, annotations, spec: resource?.['spec'] };
}

/**
 * Whether members did something on their own, for which another plan than the foreseen one is right: another one was
 * elected, or one was slow to answer and so was the first to go. A step that failed may have been done all the same, where
 * etcd or the API was too slow to answer it, and is on record as not done.
 */
function isDisturbed(passes: readonly Decision[], leaderBefore: string): boolean {
  let leader = leaderBefore;
  return passes.some(({ facts, plan, steps }) => {
    const { members = {} } = (facts ?? {}) as Partial<EtcdFacts>;
    const present = Object.keys(members).find((name) => leads(facts, name));
    const isElected = present !== undefined && present !== leader;
    const isMoved = steps.findIndex(({ step, outcome }) => step === 'moveLeader' && outcome === 'done');
    leader = subjectOf(plan?.steps[isMoved]?.args) ?? leader;
    const { size, readyMembers } = (plan?.status ?? {}) as EtcdClusterStatus;
    const hasFailed = steps.some(({ outcome }) => outcome === 'failed');
    return isElected || hasFailed || (plan?.reason === 'ScaleIn' && readyMembers !== size);
  });
}

/**
 * Asks what an edit would do, checks that nothing came of asking, applies it and compares what was done. `undefined`
 * where members did something on their own meanwhile.
 */
async function foreseeThenApply(
  cluster: TestCluster,
  spec: Spec,
): Promise<(Foreseen & { leader: string }) | undefined> {
  const manifest = etcdCluster(cluster.name, spec);
  const { leader } = await cluster.roles();
  const before = askedBy(await stage.get('etcd', cluster.name));
  const foreseen = await foreseeOfAll(manifest);
  assert.deepEqual(askedBy(await stage.get('etcd', cluster.name)), before);
  assert.deepEqual([foreseen.forecast.end, foreseen.forecast.reason], ['rests', 'Healthy']);

  const known = watched.decisions(cluster.name).length;
  const passes = () => watched.decisions(cluster.name).slice(known);
  await stage.apply(manifest);
  await cluster.until('a pass finds all well', () => {
    const last = passes().at(-1);
    const { size, version } = (last?.spec ?? {}) as Partial<Spec>;
    const isRest = last?.plan?.reason === 'Healthy' && last.steps.length === 0;
    return isRest && size === spec.size && version === spec.version;
  });
  await cluster.settled(spec.size);
  if (isDisturbed(passes(), leader)) return undefined;
  compare(foreseen.forecast.steps, stepsDone(passes()));
  return { ...foreseen, leader };
}

interface Spec {
  size: number;
  version: string;
}

/** The members that are away at some step, in the order in which they first are. */
const awayIn = ({ forecast }: Foreseen): string[] => [
  ...new Set(forecast.steps.flatMap(({ margin }) => margin?.away ?? [])),
];

test('to five, back to three, to another version: what was foreseen is what is done, step for step', async (t) => {
  for (const name of ['foreseen', 'foreseen-again', 'foreseen-once-more']) {
    if (await walks(t, name)) return;
    await stage.kubectl('delete', 'etcd', name, '--wait=false');
  }
  assert.fail('members did something on their own each time');
});

/** Whether a cluster goes all the way undisturbed. */
async function walks(t: TestContext, name: string): Promise<boolean> {
  const cluster = await createCluster(seen, t, name, { claims: true });
  const wider = await foreseeThenApply(cluster, specOf({ size: 5, claims: true }));
  if (!wider) return false;
  assert.deepEqual(wider.changes, [{ field: 'spec.size', before: 3, after: 5 }]);
  assert.ok(wider.forecast.steps.every(({ margin }) => margin && spareOf(margin) >= 1));
  assert.deepEqual(awayIn(wider), []);

  const narrower = await foreseeThenApply(cluster, specOf({ size: 3, claims: true }));
  if (!narrower) return false;
  assert.equal(narrower.forecast.steps.filter(({ step }) => step === 'removeMember').length, 2);

  const members = Object.keys(await cluster.ids());
  const newer = await foreseeThenApply(cluster, { ...specOf({ claims: true }), version: newerVersion });
  if (!newer) return false;
  const { leader } = newer;
  assert.deepEqual(awayIn(newer), [...members.filter((each) => each !== leader), leader]);
  assert.equal(Math.min(...newer.forecast.steps.map(({ margin }) => (margin ? spareOf(margin) : -1))), 0);
  await cluster.finish();
  return true;
}

test('an edit that would lose quorum, or that etcd cannot follow, is blocked before as it is after; the API refuses in its own words', async (t) => {
  const cluster = await createCluster(seen, t, 'blocked', { size: 2 });
  for (const [version, reason] of [
    [newerVersion, 'Upgrading'],
    ['3.6.0', 'VersionRefused'],
  ] as const) {
    const manifest = etcdCluster(cluster.name, { ...specOf({ size: 2 }), version });
    const foreseen = await foreseeOfAll(manifest);
    assert.deepEqual([foreseen.forecast.end, foreseen.forecast.reason], ['blocked', reason]);
    assert.deepEqual(foreseen.forecast.steps, []);
    const known = watched.decisions(cluster.name).length;
    await stage.apply(manifest);
    await cluster.until('it is blocked', () => isBlockedAs(cluster, reason));
    const { since, ...parts } = blockedNow(cluster) ?? assert.fail();
    assert.deepEqual({ ...parts, since: foreseen.blocked?.since }, foreseen.blocked);
    assert.ok(Date.parse(since) <= Date.now());
    assert.deepEqual(stepsDone(watched.decisions(cluster.name).slice(known)), []);
  }
  const { code, said } = await quorate(['plan', '-f', '-'], etcdCluster(cluster.name, { size: 9 }));
  assert.equal(code, 1);
  assert.match(said, /spec\.size.*less than or equal to 7/);
});

test('without quorum every edit is blocked, since when quorum was lost, and nothing is done for it', async (t) => {
  const cluster = await createCluster(seen, t, 'lost', {});
  const { leader, followers } = await cluster.roles();
  // For good, so that quorum is away as long as this takes.
  const lost = [leader, followers[0]];
  await loseAtOnce(stage, 'lost', 'pod', ...lost);
  await cluster.until('it is blocked', () => isBlockedAs(cluster, 'QuorumLost'));
  const manifest = etcdCluster(cluster.name, specOf({ size: 5 }));
  const foreseen = await foresee(manifest);
  assert.deepEqual([foreseen.forecast.end, foreseen.forecast.reason], ['blocked', 'QuorumLost']);
  assert.deepEqual(foreseen.forecast.margin?.away, lost.toSorted());
  const known = watched.decisions(cluster.name).length;
  await stage.apply(manifest);
  await cluster.until('a pass has looked at the edit', () =>
    watched
      .decisions(cluster.name)
      .slice(known)
      .some(({ spec }) => (spec as { size?: number }).size === 5),
  );
  assert.deepEqual(stepsDone(watched.decisions(cluster.name).slice(known)), []);
  assert.equal(blockedNow(cluster)?.since, foreseen.blocked?.since);
});

test('with approval required, an edit waits until its very plan is approved, and healing does not wait', async (t) => {
  const cluster = await createCluster(seen, t, 'guarded', { size: 1 });
  await stage.kubectl('annotate', 'etcd', cluster.name, 'quorate.io/approval=required');
  await cluster.until('the spec is accepted', () => annotationsOf(cluster)['quorate.io/accepted-spec']);

  const manifest = etcdCluster(cluster.name, specOf({ size: 3 }));
  const foreseen = await foreseeOfAll(manifest);
  assert.equal(foreseen.approval?.isRequired, true);
  const known = watched.decisions(cluster.name).length;
  await stage.apply(manifest);
  const isOfPlan = () => blockedNow(cluster)?.evidence.includes(`plan ${foreseen.approval?.hash}, `);
  await cluster.until(
    'it waits for the approval of that plan',
    () => isBlockedAs(cluster, 'ApprovalRequired') && isOfPlan(),
  );
  await stage.kubectl('delete', 'service', `${cluster.name}-client`);
  const passes = () => watched.decisions(cluster.name).slice(known);
  await cluster.until('the service is back', () => stepsDone(passes()).length > 0);
  assert.deepEqual(
    stepsDone(passes()).map(({ step }) => step),
    ['applyService'],
  );

  await cluster.until('all is well but for the edit', async () => {
    const again = await foresee(manifest);
    return again.approval?.hash === foreseen.approval?.hash;
  });
  const approved = passes().length;
  await stage.kubectl(
    'annotate',
    'etcd',
    cluster.name,
    `quorate.io/approved-plan=${foreseen.approval?.hash}`,
  );
  await cluster.settled(3);
  compare(foreseen.forecast.steps, stepsDone(passes().slice(approved)));
  await cluster.finish();
});

const annotationsOf = ({ name }: TestCluster) => watched.resource(name)?.metadata.annotations ?? {};

const isBlockedAs = ({ name }: TestCluster, reason: string): boolean => {
  const condition = conditionOf(watched.resource(name), 'Blocked');
  return condition?.status === 'True' && condition.reason === reason;
};

const blockedNow = ({ name }: TestCluster) => {
  const condition = conditionOf(watched.resource(name), 'Blocked');
  return condition?.status === 'True' ? readBlocked(condition.message) : undefined;
};
