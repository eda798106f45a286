import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectEtcd } from '../../libs/engines/etcd/client/client.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import { until } from '../wait.ts';
import { loseAtOnce } from './lose.ts';
import { conditionOf, etcdCluster, openStage, statusOf } from './stage.ts';
import { assertUntouched, fingerprint } from './untouched.ts';

const version = '3.4.23';
const onClaims = { persistentVolumeClaimSpec: { resources: { requests: { storage: '1Gi' } } } };

const { stage, watched } = await openStage();

const leftOf = (name: string): Promise<KubeObject[]> =>
  stage.list('pods,persistentvolumeclaims,services', `etcd_cluster=${name}`);

/** A kubelet may take more than a minute to end a pod that it was just starting. */
const endsWithinMs = 150_000;

/** kubectl waits until the resource itself is gone; what it owned may take as long as its processes need to end. */
async function deleteAndWait(name: string): Promise<void> {
  await stage.kubectl('delete', 'etcd', name, '--timeout=30s');
  await until(`nothing of ${name} is left`, async () => (await leftOf(name)).length === 0, endsWithinMs);
}

describe('delete', { concurrency: 4 }, () => {
  test('everything owned goes with the resource: pods, then claims, then services', async () => {
    await stage.apply(etcdCluster('whole', { size: 3, version, pod: onClaims }));
    await stage.settled('whole', 3);
    assert.equal((await leftOf('whole')).length, 3 + 3 + 2);
    await stage.kubectl('delete', 'etcd', 'whole', '--wait=false');
    await until(
      'nothing is left',
      async () => {
        // A pod that is seen after its claim was found gone would have lost its disk while it ran.
        const claims = await stage.list('persistentvolumeclaims', 'etcd_cluster=whole');
        const pods = await stage.list('pods', 'etcd_cluster=whole');
        const names = claims.map(({ metadata }) => metadata.name);
        for (const { metadata } of pods)
          assert.ok(names.includes(metadata.name), `${metadata.name} has its claim`);
        return (await leftOf('whole')).length === 0;
      },
      endsWithinMs,
    );
    const passes = watched.decisions('whole').filter(({ plan }) => plan?.reason === 'Deleted');
    const planned = passes.flatMap(({ plan }) => plan?.steps.map(({ step }) => step) ?? []);
    const order = ['deletePod', 'deleteClaim', 'deleteService', 'deleteBudget'];
    assert.deepEqual(
      planned,
      planned.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)),
    );
    assert.equal(await stage.get('etcd', 'whole'), undefined);
  });

  test('a cluster that is being created can be deleted', async () => {
    await stage.apply(etcdCluster('unborn', { size: 5, version, pod: onClaims }));
    await until('its first pod is there', () => watched.pods('unborn').length > 0);
    await deleteAndWait('unborn');
  });

  test('a cluster that is scaling can be deleted', async () => {
    await stage.apply(etcdCluster('grows', { size: 1, version }));
    await stage.settled('grows', 1);
    await stage.kubectl('scale', 'etcdcluster', 'grows', '--replicas=3');
    await until('its second pod is there', () => watched.pods('grows').length > 1);
    await deleteAndWait('grows');
  });

  test('a cluster that has lost quorum can be deleted', async () => {
    await stage.apply(etcdCluster('lost', { size: 3, version }));
    await stage.settled('lost', 3);
    await loseAtOnce(stage, 'lost', 'pod', 'lost-1', 'lost-2');
    const phase = async () => statusOf(await stage.get('etcd', 'lost')).phase;
    await until('it has lost quorum', async () => (await phase()) === 'Failed');
    await deleteAndWait('lost');
  });

  test('created again under the same name at once, it is a new cluster with empty data', async () => {
    const spec = { size: 3, version, pod: onClaims };
    await stage.apply(etcdCluster('again', spec));
    const first = await stage.settled('again', 3);
    await stage.kubectl('exec', 'again-1', '--', 'etcdctl', 'put', 'of', 'the first');
    const carriers = uidsOf([...watched.pods('again'), ...watched.claims('again')]);
    const firstId = await clusterIdOf('again');
    await stage.kubectl('delete', 'etcd', 'again', '--wait=false');
    await until('the resource is gone', async () => {
      return (await stage.get('etcd', 'again'))?.metadata.uid !== first.metadata.uid;
    });
    await stage.apply(etcdCluster('again', spec));
    const second = await stage.settled('again', 3);
    assert.notEqual(second.metadata.uid, first.metadata.uid);
    assert.equal(await stage.kubectl('exec', 'again-1', '--', 'etcdctl', 'get', '', '--prefix'), '');
    assert.notEqual(await clusterIdOf('again'), firstId);
    const now = uidsOf([...watched.pods('again'), ...watched.claims('again')]);
    assert.deepEqual(
      now.filter((uid) => carriers.includes(uid)),
      [],
      'nothing of the first is used',
    );
  });

  test('with --cascade=orphan the members run on, and a resource of that name says it will not touch them', async () => {
    await stage.apply(etcdCluster('orphan', { size: 3, version }));
    await stage.settled('orphan', 3);
    const before = await fingerprint(stage, 'orphan');
    await stage.kubectl('delete', 'etcd', 'orphan', '--cascade=orphan');
    await assertUntouched(stage, 'orphan', before);
    await stage.apply(etcdCluster('orphan', { size: 3, version }));
    const blocked = await until('the new resource is blocked', async () => {
      const condition = conditionOf(await stage.get('etcd', 'orphan'), 'Blocked');
      return condition?.status === 'True' && condition;
    });
    assert.match(blocked.message, /does not own is neither used nor deleted.*orphan-1/);
    assert.equal(await stage.kubectl('exec', 'orphan-1', '--', 'etcdctl', 'put', 'still', 'here'), 'OK\n');
    await assertUntouched(stage, 'orphan', before);

    const orphans = ['pods,services,poddisruptionbudgets', '-l', 'etcd_cluster=orphan'];
    // kubectl would wait for pods of those names to go, and for ever where the next ones come before it looks.
    await stage.kubectl('delete', ...orphans, '--wait=false');
    await stage.settled('orphan', 3);
  });
});

const uidsOf = (objects: KubeObject[]): string[] => objects.map(({ metadata }) => metadata.uid ?? '');

async function clusterIdOf(name: string): Promise<string> {
  const client = connectEtcd(stage.endpoints(name)[0] ?? '');
  try {
    return (await client.status()).clusterId;
  } finally {
    client.close();
  }
}
