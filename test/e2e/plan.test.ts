import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { readBlocked } from '../../libs/engine/blocked.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { spareOf } from '../../libs/engine/forecast.ts';
import { subjectOf } from '../../libs/engine/subject.ts';
import type { Foreseen } from '../../services/cli/foresee/foresee.ts';
import { newerVersion } from '../etcd-root.ts';
import { createCluster, specOf, type TestCluster } from './cluster.ts';
import { conditionOf, etcdCluster, openStage } from './stage.ts';

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

/** What the command says of an edit. */
async function foresee(manifest: object): Promise<Foreseen> {
  const { code, out, said } = await quorate(['plan', '--json', '-f', '-'], manifest);
  assert.equal(code, 0, said);
  const [foreseen] = JSON.parse(out) as Foreseen[];
  return foreseen ?? assert.fail('nothing was planned');
}

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

/** Asks what an edit would do, checks that nothing came of asking, applies it and compares what was done. */
async function foreseeThenApply(cluster: TestCluster, spec: Spec): Promise<Foreseen> {
  const manifest = etcdCluster(cluster.name, spec);
  const before = watched.resource(cluster.name)?.metadata.resourceVersion;
  const foreseen = await foresee(manifest);
  assert.equal((await stage.get('etcd', cluster.name))?.metadata.resourceVersion, before);
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
  compare(foreseen.forecast.steps, stepsDone(passes()));
  return foreseen;
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
  const cluster = await createCluster(seen, t, 'foreseen', { claims: true });
  const wider = await foreseeThenApply(cluster, specOf({ size: 5, claims: true }));
  assert.deepEqual(wider.changes, [{ field: 'spec.size', before: 3, after: 5 }]);
  assert.ok(wider.forecast.steps.every(({ margin }) => margin && spareOf(margin) >= 1));
  assert.deepEqual(awayIn(wider), []);

  const narrower = await foreseeThenApply(cluster, specOf({ size: 3, claims: true }));
  assert.equal(narrower.forecast.steps.filter(({ step }) => step === 'removeMember').length, 2);

  const { leader } = await cluster.roles();
  const members = Object.keys(await cluster.ids());
  const newer = await foreseeThenApply(cluster, { ...specOf({ claims: true }), version: newerVersion });
  assert.deepEqual(awayIn(newer), [...members.filter((name) => name !== leader), leader]);
  assert.equal(Math.min(...newer.forecast.steps.map(({ margin }) => (margin ? spareOf(margin) : -1))), 0);
  await cluster.finish();
});

test('an edit that would lose quorum, or that etcd cannot follow, is blocked before as it is after; the API refuses in its own words', async (t) => {
  const cluster = await createCluster(seen, t, 'blocked', { size: 2 });
  for (const [version, reason] of [
    [newerVersion, 'Upgrading'],
    ['3.6.0', 'VersionRefused'],
  ] as const) {
    const manifest = etcdCluster(cluster.name, { ...specOf({ size: 2 }), version });
    const foreseen = await foresee(manifest);
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
  const [first, second] = (await cluster.roles()).followers;
  for (const follower of [first, second]) await cluster.signal(follower, 'SIGSTOP');
  t.after(async () => {
    for (const follower of [first, second]) await cluster.signal(follower, 'SIGCONT').catch(() => {});
  });
  await cluster.until('it is blocked', () => blockedNow(cluster) !== undefined);
  const manifest = etcdCluster(cluster.name, specOf({ size: 5 }));
  const foreseen = await foresee(manifest);
  assert.deepEqual([foreseen.forecast.end, foreseen.forecast.reason], ['blocked', 'QuorumLost']);
  assert.deepEqual(foreseen.forecast.margin?.away, [first, second].sort());
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
  const foreseen = await foresee(manifest);
  assert.equal(foreseen.approval?.isRequired, true);
  const known = watched.decisions(cluster.name).length;
  await stage.apply(manifest);
  await cluster.until('it waits for approval', () => isBlockedAs(cluster, 'ApprovalRequired'));
  assert.match(blockedNow(cluster)?.evidence ?? '', new RegExp(`plan ${foreseen.approval?.hash}, `));
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
