import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../wait.ts';
import { startWriter } from '../writer.ts';
import { loseAtOnce } from './lose.ts';
import { morePasses, stepsDone } from './passes.ts';
import { conditionOf, etcdCluster, openStage, statusOf } from './stage.ts';
import { assertUntouched, fingerprint } from './untouched.ts';

const identity = 'quorate.io/identity';
const version = '3.4.23';
const onClaims = { persistentVolumeClaimSpec: { resources: { requests: { storage: '1Gi' } } } };

const { stage, watched } = await openStage();

test('all pods, services and config maps deleted at once: with claims, every member returns with its data', async () => {
  await stage.apply(etcdCluster('kept', { size: 3, version, pod: onClaims }));
  await stage.settled('kept', 3);
  const writer = startWriter({ endpoints: () => stage.endpoints('kept'), prefix: 'kept' });
  await until('some writes are acknowledged', () => writer.acknowledged() > 50);
  const before = await stage.list('pods', 'etcd_cluster=kept');
  await stage.kubectl('delete', 'pods,services,configmaps', '-l', 'etcd_cluster=kept', '--wait=false');
  await until(
    'the old pods are gone',
    async () => {
      const uids = (await stage.list('pods', 'etcd_cluster=kept')).map((pod) => pod.metadata.uid);
      return before.every((pod) => !uids.includes(pod.metadata.uid));
    },
    150_000,
  );
  await stage.settled('kept', 3);
  const acknowledged = writer.acknowledged();
  await until('writes are acknowledged again', () => writer.acknowledged() > acknowledged);
  await writer.stop();
  await writer.verify(stage.endpoints('kept'));
  const names = (await stage.list('pods', 'etcd_cluster=kept')).map((pod) => pod.metadata.name);
  assert.deepEqual(names, ['kept-1', 'kept-2', 'kept-3'], 'the same members, none is new');
});

test('everything deleted at once, without claims: the cluster says so, is blocked, and never begins anew', async () => {
  await stage.apply(etcdCluster('lost', { size: 3, version }));
  await stage.settled('lost', 3);
  const all = 'pods,services,persistentvolumeclaims,configmaps';
  await loseAtOnce(stage, 'lost', all, '-l', 'etcd_cluster=lost');
  const resource = await until(
    'the cluster says that it has lost quorum',
    async () => {
      const found = await stage.get('etcd', 'lost');
      return conditionOf(found, 'Blocked')?.status === 'True' && statusOf(found).phase === 'Failed' && found;
    },
    150_000,
  );
  const blocked = conditionOf(resource, 'Blocked');
  assert.equal(blocked?.reason, 'QuorumLost');
  assert.match(blocked?.message ?? '', /What you can do: .*snapshot/);
  assert.equal(conditionOf(resource, 'Available')?.status, 'False');
  await until(
    'the old pods are gone',
    async () => (await stage.list('pods', 'etcd_cluster=lost')).length === 0,
    150_000,
  );

  // Not even when somebody asks again, or for another size.
  await stage.apply(etcdCluster('lost', { size: 5, version }));
  const later = await morePasses(stage, watched, 'lost', 4);
  assert.ok(later.every(({ plan }) => plan?.reason === 'QuorumLost'));
  assert.ok(!stepsDone(later).some((step) => /Pod|Claim|Member/.test(step)), stepsDone(later).join());
  assert.deepEqual(await stage.list('pods,persistentvolumeclaims', 'etcd_cluster=lost'), []);
  // A pass that came to nothing, e.g. as its worker lost the task, is no bootstrap.
  const seeded = watched
    .decisions('lost')
    .filter(({ plan, steps }) => plan?.reason === 'NotBootstrapped' && steps[0]?.outcome === 'done');
  assert.equal(seeded.length, 1, 'it was bootstrapped once');
});

test('the identity annotation removed from a running cluster is put back and harms nothing', async () => {
  await stage.apply(etcdCluster('annotated', { size: 3, version }));
  const annotations = (await stage.settled('annotated', 3)).metadata.annotations ?? {};
  const before = await fingerprint(stage, 'annotated');
  await stage.kubectl('annotate', 'etcd', 'annotated', `${identity}-`);
  const recorded = await until('the annotation is there again', async () => {
    return (await stage.get('etcd', 'annotated'))?.metadata.annotations?.[identity];
  });
  const { lastNumber, formed } = JSON.parse(recorded) as { lastNumber: number; formed: boolean };
  const was = JSON.parse(annotations[identity] ?? '') as { lastNumber: number };
  assert.deepEqual({ lastNumber, formed }, { lastNumber: was.lastNumber, formed: true });
  await morePasses(stage, watched, 'annotated', 2);
  await stage.settled('annotated', 3);
  await assertUntouched(stage, 'annotated', before);
});

test('kubectl replace with the plain manifest, which has no identity, harms nothing either', async () => {
  await stage.apply(etcdCluster('replaced', { size: 3, version }));
  await stage.settled('replaced', 3);
  const before = await fingerprint(stage, 'replaced');
  // kubectl reads the resource before, and is refused where its status was written in between.
  await until('the manifest is taken', () =>
    stage.feed('replace', etcdCluster('replaced', { size: 3, version })).catch((error) => {
      assert.match(String(error.stderr), /Conflict/);
    }),
  );
  await until('the identity is recorded again', async () => {
    return (await stage.get('etcd', 'replaced'))?.metadata.annotations?.[identity];
  });
  await morePasses(stage, watched, 'replaced', 2);
  await stage.settled('replaced', 3);
  await assertUntouched(stage, 'replaced', before);
});
