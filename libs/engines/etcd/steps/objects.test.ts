import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryKube, type MemoryKube } from '../../../engine/testing/memory-kube.ts';
import { isError } from '../../../errors/catalogue.ts';
import { resourceTypes } from '../../../kube/object.ts';
import { identityAnnotation, parseIdentity } from '../identity.ts';
import { memberPod } from '../member-pod.ts';
import { headlessService } from '../objects.ts';
import { etcdResourceType, etcdSpec } from '../resource.ts';
import { applyObject, createObject, deleteObject, recordIdentity } from './objects.ts';

const cluster = { namespace: 'default', name: 'example', uid: 'uid-of-the-resource' };
const service = headlessService(cluster);
const spec = etcdSpec.parse({ size: 1 });
const pod = memberPod(cluster, spec, 1, { as: 'returning' }, undefined);
const identity = { seeds: 1, lastNumber: 1, formed: false, version: '3.4.23' };

const contextOf = (kube: MemoryKube) => ({
  key: { engine: 'etcd', namespace: 'default', name: 'example' },
  kube,
  signal: new AbortController().signal,
});

/** As if somebody else had made the object. */
const foreign = <Thing extends { metadata: object }>(object: Thing): Thing => ({
  ...object,
  metadata: { ...object.metadata, labels: {}, ownerReferences: [] },
});

test('a service is made, and one of this cluster is mended', async () => {
  const kube = createMemoryKube();
  assert.equal((await applyObject({ type: 'service', object: service }, contextOf(kube))).outcome, 'done');
  assert.equal((await applyObject({ type: 'service', object: service }, contextOf(kube))).outcome, 'done');
});

test("somebody else's service of that name is left alone, because clients of theirs use it", async () => {
  const kube = createMemoryKube();
  kube.put(resourceTypes.service, foreign(service));
  await assert.rejects(applyObject({ type: 'service', object: service }, contextOf(kube)), (error) =>
    isError(error, 'NAME_TAKEN'),
  );
  assert.deepEqual(kube.writes, []);
});

test('a pod that this cluster has already is as good as a new one', async () => {
  const kube = createMemoryKube();
  kube.put(resourceTypes.pod, pod);
  assert.equal((await createObject({ type: 'pod', object: pod }, contextOf(kube))).outcome, 'nothing');
});

test('a pod that is still being deleted is waited for', async () => {
  const kube = createMemoryKube();
  kube.put(resourceTypes.pod, {
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
  });
  assert.equal((await createObject({ type: 'pod', object: pod }, contextOf(kube))).outcome, 'moved');
});

test("somebody else's pod of that name is an error that names it, because waiting would not help", async () => {
  const kube = createMemoryKube();
  kube.put(resourceTypes.pod, foreign(pod));
  await assert.rejects(createObject({ type: 'pod', object: pod }, contextOf(kube)), /example-1/);
});

test('only the very object that was seen is deleted', async () => {
  const kube = createMemoryKube();
  const seen = kube.put(resourceTypes.pod, pod).metadata.uid ?? '';
  const successor = kube.put(resourceTypes.pod, pod).metadata.uid ?? '';
  const args = { type: 'pod' as const, name: 'example-1' };
  assert.equal((await deleteObject({ ...args, uid: seen }, contextOf(kube))).outcome, 'moved');
  assert.equal((await deleteObject({ ...args, uid: successor }, contextOf(kube))).outcome, 'done');
  assert.equal((await deleteObject({ ...args, uid: successor }, contextOf(kube))).outcome, 'nothing');
});

test('nothing is deleted as a stranger while no member confirms that it is one', async () => {
  const kube = createMemoryKube();
  const uid = kube.put(resourceTypes.pod, pod).metadata.uid ?? '';
  const unlisted = { name: 'example-1', endpoints: [] };
  const outcome = await deleteObject({ type: 'pod', name: 'example-1', uid, unlisted }, contextOf(kube));
  assert.deepEqual([outcome.outcome, kube.writes], ['moved', []]);
});

test('the identity is written to the resource as it was read, and to no other', async () => {
  const kube = createMemoryKube();
  const resource = { apiVersion: 'etcd.database.coreos.com/v1beta2', kind: 'EtcdCluster' };
  const metadata = { name: 'example', namespace: 'default' };
  const { uid = '', resourceVersion = '' } = kube.put(etcdResourceType, { ...resource, metadata }).metadata;
  const args = { uid, resourceVersion, identity };
  assert.equal((await recordIdentity(args, contextOf(kube))).outcome, 'done');
  const written = await kube.get(etcdResourceType, 'default', 'example');
  assert.deepEqual(parseIdentity(written?.metadata.annotations?.[identityAnnotation]), {
    state: 'recorded',
    identity,
  });
  assert.equal((await recordIdentity(args, contextOf(kube))).outcome, 'moved');
});
