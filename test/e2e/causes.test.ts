import { test } from 'node:test';
import { createCluster, specOf } from './cluster.ts';
import { holds, holdsNoMore } from './conditions.ts';
import { etcdCluster, openStage } from './stage.ts';

/** What outside of etcd keeps a cluster from being as it is asked for: each is said, and heals when it is gone. */

const seen = await openStage();
const { stage } = seen;

const version = '3.4.23';
const missingImage = 'quay.io/coreos/none';
const image = 'quay.io/coreos/etcd';

const patch = (name: string, spec: object): Promise<string> =>
  stage.kubectl('patch', 'etcdcluster', name, '--type=merge', '-p', JSON.stringify({ spec }));

async function healed(name: string, size: number): Promise<void> {
  await stage.settled(name, size);
  await holdsNoMore(stage, name, 'Degraded');
  await holdsNoMore(stage, name, 'Blocked');
}

test('an image that cannot be pulled, at creation: the seeds get the corrected one', async () => {
  await stage.apply(etcdCluster('image', { size: 3, version, repository: missingImage }));
  await holds(stage, 'image', 'Degraded', [
    'ImagePull',
    /cannot be pulled: .*none.*correct spec\.repository/,
  ]);
  await patch('image', { repository: image });
  await healed('image', 3);
});

test('an image that cannot be pulled, for a new member: the others serve on', async (t) => {
  const cluster = await createCluster(seen, t, 'newcomer', { size: 1 });
  await patch('newcomer', { size: 2, repository: missingImage });
  await holds(stage, 'newcomer', 'Degraded', ['ImagePull', /newcomer-2: .*none/]);
  const written = cluster.writer.acknowledged();
  await cluster.until('writes go on', () => cluster.writer.acknowledged() > written + 10);
  await patch('newcomer', { repository: image });
  await healed('newcomer', 2);
  await cluster.finish();
});

test('pods that no node takes: they are made again for another place', async () => {
  const pod = { nodeSelector: { 'example.com/nonesuch': 'true' } };
  await stage.apply(etcdCluster('place', { size: 3, version, pod }));
  const words = /place-1, place-2, place-3: no node takes its pod: 0\/\d+ nodes are available.*spec\.pod/;
  await holds(stage, 'place', 'Degraded', ['Unschedulable', words]);
  await patch('place', { pod: null });
  await healed('place', 3);
});

test('claims that stay pending: they are made again with their pods', async () => {
  const { pod } = specOf({ claims: true });
  const wrong = { ...pod?.persistentVolumeClaimSpec, storageClassName: 'nonesuch' };
  const spec = { size: 1, version, pod: { persistentVolumeClaimSpec: wrong } };
  await stage.apply(etcdCluster('claim', spec));
  await holds(stage, 'claim', 'Degraded', ['ClaimPending', /claim is Pending \(storage class: "nonesuch"\)/]);
  await patch('claim', { pod: { persistentVolumeClaimSpec: { storageClassName: null } } });
  await healed('claim', 1);
});

test('a quota that is full: what runs goes on, and the cluster grows when there is room', async (t) => {
  const cluster = await createCluster(seen, t, 'quota', { size: 1 });
  const hard = { pods: String((await stage.list('pods')).length) };
  const metadata = { name: 'few' };
  await stage.feed('create', { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } });
  t.after(() => stage.kubectl('delete', 'resourcequota', 'few', '--ignore-not-found'));
  await cluster.until('the quota is in force', async () => {
    const status = (await stage.get('resourcequota', 'few'))?.['status'] as { hard?: object } | undefined;
    return status?.hard !== undefined;
  });
  await patch('quota', { size: 3 });
  const words = /^Rule: .+ Evidence: .+exceeded quota: few, requested: pods=1.+ What you can do: raise/;
  await holds(stage, 'quota', 'Blocked', ['QuotaExceeded', words]);
  const written = cluster.writer.acknowledged();
  await cluster.until('writes go on', () => cluster.writer.acknowledged() > written + 10);
  await stage.kubectl('delete', 'resourcequota', 'few');
  await healed('quota', 3);
  await cluster.finish();
});

const isReal = stage.bench.kubernetes.kind === 'real';

test('a node that dies: it is named, and all is well when it is back', {
  skip: isReal && 'a real node is stopped in real/node.test.ts',
}, async (t) => {
  const ask = (action: string) =>
    stage.kubectl('create', '--raw', `/sandbox/node/${action}`, '-f', '/dev/null');
  await stage.apply(etcdCluster('node', specOf({ claims: true })));
  await stage.settled('node', 3);
  t.after(() => ask('revive'));
  await ask('die');
  const words = /node-1, node-2, node-3: its node sandbox is not ready .*kubectl delete node sandbox/;
  await holds(stage, 'node', 'Degraded', ['NodeNotReady', words]);
  await ask('revive');
  await healed('node', 3);
});
