import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Decision } from '../../libs/engine/decision.ts';
import type { EtcdFacts } from '../../libs/engines/etcd/facts.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import { containerOf, createCluster, type TestCluster, type TestClusterOptions } from './cluster.ts';
import { loseAtOnce } from './lose.ts';
import { morePasses } from './passes.ts';
import { conditionOf, openStage, statusOf } from './stage.ts';

const { stage, watched } = await openStage();

const create = (t: TestContext, name: string, options?: TestClusterOptions) =>
  createCluster({ stage, watched }, t, name, options);

const force = ['--force', '--grace-period=0'];
const uidsOf = (objects: { metadata: { uid?: string } }[]): string[] =>
  objects.map(({ metadata }) => metadata.uid ?? '').sort();
/** Every pod and claim that there ever was. */
const everOf = ({ name }: TestCluster): string[] => uidsOf(watched.past(name));

/** Waits until the cluster says by condition and event that it is stuck; returns the resource that says so. */
async function saysWhy(
  { name, until }: TestCluster,
  reason: string,
  evidence: RegExp,
): Promise<KubeObject | undefined> {
  let resource: KubeObject | undefined;
  // The evidence may still change for a moment, e.g. while a pod ends.
  await until(`it is blocked, and says ${evidence}`, () => {
    resource = watched.resource(name);
    const { status, reason: word, message = '' } = conditionOf(resource, 'Blocked') ?? {};
    return status === 'True' && word === reason && evidence.test(message);
  });
  const said = conditionOf(resource, 'Blocked')?.message ?? '';
  assert.match(said, /^Rule: .+\. Evidence: .+\. Since: .+Z\. What you can do: .+\.$/);
  await until('an event tells it', async () => {
    const events = (await stage.list('events')).filter(
      (event) => (event['involvedObject'] as { name: string }).name === name,
    );
    return events.some(
      (event) =>
        event['type'] === 'Warning' &&
        event['reason'] === 'Blocked' &&
        String(event['message']).startsWith('Rule: '),
    );
  });
  return resource;
}

/** Waits for a few more passes that see no quorum; none of them may want to do anything. */
async function nothingIsDone({ name }: TestCluster): Promise<void> {
  for (const { plan, steps } of await morePasses(stage, watched, name, 3)) {
    assert.equal(plan?.reason, 'QuorumLost');
    assert.deepEqual(steps, []);
  }
}

describe('quorum', { concurrency: 4 }, () => {
  test('when two of three members without claims are lost for good, nothing is taken from the third', async (t) => {
    const cluster = await create(t, 'lost');
    const before = await cluster.remembered();
    const everything = everOf(cluster);
    const { leader, followers } = await cluster.roles();
    await loseAtOnce(stage, 'lost', 'pod', leader, followers[0]);
    await saysWhy(cluster, 'QuorumLost', new RegExp(`${leader} has no pod and no claim`));
    await nothingIsDone(cluster);
    assert.equal(statusOf(watched.resource('lost')).phase, 'Failed');
    assert.equal(conditionOf(watched.resource('lost'), 'Available')?.status, 'False');
    assert.deepEqual(everOf(cluster), everything);
    assert.deepEqual(
      cluster.pods().map(({ metadata }) => metadata.name),
      [followers[1]],
    );
    assert.deepEqual(await cluster.remembered(), before);

    await stage.kubectl('delete', 'etcdcluster', 'lost');
    await cluster.until(
      'it is deleted all the same',
      () => cluster.pods().length + watched.services('lost').length === 0,
    );
  });

  test('two of three members with claims that are lost at once return by themselves', async (t) => {
    const cluster = await create(t, 'back', { claims: true });
    const before = await cluster.ids();
    const claims = uidsOf(watched.claims('back'));
    const { leader, followers } = await cluster.roles();
    const stays = cluster.pod(followers[1]).metadata.uid;
    const gone = [leader, followers[0]].map((name) => cluster.pod(name).metadata.uid);
    await stage.kubectl('delete', 'pod', leader, followers[0], ...force);
    await cluster.until('they are gone', () =>
      cluster.pods().every(({ metadata }) => !gone.includes(metadata.uid)),
    );
    await cluster.settled(3);
    assert.deepEqual(await cluster.ids(), before);
    assert.deepEqual(uidsOf(watched.claims('back')), claims);
    assert.equal(cluster.pod(followers[1]).metadata.uid, stays);
    await cluster.finish();
  });

  test('three of three members with claims that are lost at once return by themselves', async (t) => {
    const cluster = await create(t, 'all', { claims: true });
    const before = await cluster.ids();
    const claims = uidsOf(watched.claims('all'));
    const gone = uidsOf(cluster.pods());
    await stage.kubectl('delete', 'pod', '-l', 'etcd_cluster=all', ...force);
    await cluster.until('they are gone', () =>
      cluster.pods().every(({ metadata }) => !gone.includes(metadata.uid ?? '')),
    );
    await cluster.settled(3);
    assert.deepEqual(await cluster.ids(), before);
    assert.deepEqual(uidsOf(watched.claims('all')), claims);
    await cluster.finish();
  });

  test('while two of three members are frozen nothing is done, and the cluster heals when they wake', async (t) => {
    const cluster = await create(t, 'frozen');
    const before = await cluster.ids();
    const everything = everOf(cluster);
    const { leader, followers } = await cluster.roles();
    const frozen = [leader, followers[0]];
    for (const name of frozen) await cluster.signal(name, 'SIGSTOP');
    const frozenMs = Date.now();
    const containers = frozen.map((name) => containerOf(cluster.pod(name)));
    // Some 20 s later a kubelet kills them for not being alive, and quorum returns with the next containers.
    const findsFrozen = ({ time, facts }: Decision): boolean => {
      const { pods, members = {} } = (facts ?? {}) as Partial<EtcdFacts>;
      const isFrozen = (name: string, index: number) =>
        pods?.ok &&
        pods.value.some((pod) => pod.name === name && pod.containerId === containers[index]) &&
        members[name]?.status.ok === false;
      return Date.parse(time) >= frozenMs && frozen.every(isFrozen);
    };
    const passes = () => watched.decisions('frozen').filter(findsFrozen);
    const [said] = await Promise.all([
      saysWhy(cluster, 'QuorumLost', new RegExp(`${leader} does not answer`)),
      cluster.until('three passes find both frozen', async () => {
        await stage.kubectl('annotate', 'etcd', 'frozen', '--overwrite', `example.com/woken=${Date.now()}`);
        return passes().length >= 3;
      }),
    ]);
    assert.equal(statusOf(said).phase, 'Failed');
    for (const { plan, steps } of passes()) assert.deepEqual([plan?.reason, steps], ['QuorumLost', []]);
    for (const name of frozen) await cluster.signal(name, 'SIGCONT');
    await cluster.settled(3);
    assert.equal(conditionOf(watched.resource('frozen'), 'Blocked')?.status, 'False');
    assert.deepEqual(everOf(cluster), everything);
    assert.deepEqual(await cluster.ids(), before);
    await cluster.finish();
  });

  test('the only member returns with the data of its claim', async (t) => {
    const cluster = await create(t, 'single', { size: 1, claims: true });
    const before = await cluster.ids();
    const [gone] = uidsOf(cluster.pods());
    // kubectl would wait for a pod of that name to go, and for ever where the next one comes before it looks.
    await stage.kubectl('delete', 'pod', 'single-1', '--wait=false');
    await cluster.until('it is another pod', () =>
      cluster.pods().every(({ metadata }) => metadata.uid !== gone),
    );
    await cluster.settled(1);
    assert.deepEqual(await cluster.ids(), before);
    await cluster.finish();
  });

  test('a cluster whose only member is lost for good is not begun again', async (t) => {
    const cluster = await create(t, 'over', { size: 1 });
    const everything = everOf(cluster);
    await stage.kubectl('delete', 'pod', 'over-1');
    await saysWhy(cluster, 'QuorumLost', /every pod and every claim of its members is gone/);
    await nothingIsDone(cluster);
    assert.equal(statusOf(watched.resource('over')).phase, 'Failed');
    assert.deepEqual(everOf(cluster), everything);
  });

  test('the only member stays while its claim is deleted, and is replaced once others have its data', async (t) => {
    const cluster = await create(t, 'copy', { size: 1, claims: true });
    const [uid] = uidsOf(cluster.pods());
    await stage.kubectl('delete', 'pvc', 'copy-1', '--wait=false');
    await saysWhy(cluster, 'ClaimGoing', /the claim of copy-1 is being deleted/);
    assert.deepEqual(uidsOf(cluster.pods()), [uid]);
    await stage.kubectl('scale', 'etcdcluster', 'copy', '--replicas=3');
    await cluster.until('it is replaced', () => cluster.pods().every(({ metadata }) => metadata.uid !== uid));
    await cluster.settled(3);
    await cluster.finish();
  });
});
