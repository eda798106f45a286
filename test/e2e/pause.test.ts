import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../wait.ts';
import { morePasses, stepsDone } from './passes.ts';
import { etcdCluster, openStage, statusOf } from './stage.ts';
import { assertUntouched, fingerprint } from './untouched.ts';

const version = '3.4.23';

const { stage, watched } = await openStage();

const isPaused = async (name: string) => statusOf(await stage.get('etcd', name)).controlPaused === true;

const setPaused = (name: string, paused: boolean) =>
  stage.kubectl('patch', 'etcd', name, '--type=merge', '-p', JSON.stringify({ spec: { paused } }));

test('while paused nothing is touched: a deleted pod stays deleted and a new size does nothing; then it heals', async () => {
  await stage.apply(etcdCluster('rests', { size: 3, version }));
  await stage.settled('rests', 3);
  await setPaused('rests', true);
  await until('the status says that it is paused', () => isPaused('rests'));

  await stage.kubectl('delete', 'pod', 'rests-2');
  await stage.kubectl('scale', 'etcdcluster', 'rests', '--replicas=4');
  const before = await fingerprint(stage, 'rests');
  const paused = await morePasses(stage, watched, 'rests', 3);
  assert.deepEqual(stepsDone(paused), []);
  assert.ok(paused.every(({ plan }) => plan?.reason === 'Paused'));
  await assertUntouched(stage, 'rests', before);
  assert.equal(await stage.get('pod', 'rests-2'), undefined);
  // While another leader is elected, nobody vouches for who the members are.
  const { size, controlPaused } = await until('members are told of', async () => {
    const status = statusOf(await stage.get('etcd', 'rests'));
    return status.size !== 0 && status;
  });
  assert.deepEqual({ size, controlPaused }, { size: 3, controlPaused: true });

  await setPaused('rests', false);
  const resource = await stage.settled('rests', 4);
  assert.equal(statusOf(resource).controlPaused, false);
  assert.deepEqual(statusOf(resource).members?.ready, ['rests-1', 'rests-3', 'rests-4', 'rests-5']);
});

test('a cluster created paused is not made before it is unpaused', async () => {
  await stage.apply(etcdCluster('unborn', { size: 1, version, paused: true }));
  await until('the status says that it is paused', () => isPaused('unborn'));
  await morePasses(stage, watched, 'unborn', 2);
  assert.deepEqual(await stage.list('pods,services,persistentvolumeclaims', 'etcd_cluster=unborn'), []);
  assert.equal((await stage.get('etcd', 'unborn'))?.metadata.annotations?.['quorate.io/identity'], undefined);
  await setPaused('unborn', false);
  await stage.settled('unborn', 1);
});

test('a paused cluster that is deleted goes all the same', async () => {
  await stage.apply(etcdCluster('dropped', { size: 1, version }));
  await stage.settled('dropped', 1);
  await setPaused('dropped', true);
  await until('the status says that it is paused', () => isPaused('dropped'));
  await stage.kubectl('delete', 'etcd', 'dropped');
  const isGone = async () => (await stage.list('pods,services', 'etcd_cluster=dropped')).length === 0;
  await until('everything of it is gone', isGone, 150_000);
});
