import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryKube, type MemoryKube } from '../../../engine/testing/memory-kube.ts';
import { resourceTypes } from '../../../kube/object.ts';
import { memberPod } from '../member-pod.ts';
import { etcdSpec } from '../resource.ts';
import { type SetImage, setImage } from './image.ts';

const cluster = { namespace: 'default', name: 'example', uid: 'uid-of-the-resource' };
const made = memberPod(
  cluster,
  etcdSpec.parse({ size: 3, version: '3.4.23' }),
  1,
  { as: 'returning' },
  undefined,
);

const put = (kube: MemoryKube, metadata: object = {}): string => {
  const status = {
    containerStatuses: [
      { name: 'agent', containerID: 'containerd://agent' },
      { name: 'etcd', containerID: 'containerd://one' },
    ],
  };
  const object = { ...made, metadata: { ...made.metadata, ...metadata }, status };
  return kube.put(resourceTypes.pod, object).metadata.uid ?? '';
};
const wanted = (uid: string): SetImage => ({
  name: 'example-1',
  uid,
  version: '3.5.16',
  image: 'quay.io/coreos/etcd:v3.5.16',
});
const run = (kube: MemoryKube, args: SetImage) =>
  setImage(args, {
    key: { engine: 'etcd', namespace: 'default', name: 'example' },
    kube,
    signal: new AbortController().signal,
  });

test('image and version change in place, and the container that is to end is noted', async () => {
  const kube = createMemoryKube();
  const uid = put(kube);
  assert.equal((await run(kube, wanted(uid))).outcome, 'done');
  const pod = await kube.get(resourceTypes.pod, 'default', 'example-1');
  const { annotations = {} } = pod?.metadata ?? {};
  assert.deepEqual(
    [annotations['etcd.version'], annotations['quorate.io/image'], annotations['quorate.io/changed-from']],
    ['3.5.16', 'quay.io/coreos/etcd:v3.5.16', 'containerd://one'],
  );
  const before = (made['spec'] as { containers: object[] }).containers;
  const after = (pod?.['spec'] as { containers: object[] } | undefined)?.containers;
  assert.deepEqual(after, [{ ...before[0], image: 'quay.io/coreos/etcd:v3.5.16' }]);
  assert.equal((await run(kube, wanted(uid))).outcome, 'nothing');
});

test('only the very pod that was seen is changed, and none that is going', async () => {
  const kube = createMemoryKube();
  const seen = put(kube);
  put(kube);
  assert.equal((await run(kube, wanted(seen))).outcome, 'moved');
  const going = put(kube, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  assert.equal((await run(kube, wanted(going))).outcome, 'moved');
  assert.deepEqual(kube.writes, []);
});

test('what had not run when it was seen is left alone once anything of it has changed', async () => {
  const kube = createMemoryKube();
  const uid = put(kube);
  const outcome = await run(kube, { ...wanted(uid), resourceVersion: 'of before' });
  assert.deepEqual([outcome.outcome, kube.writes], ['moved', []]);
  const pod = await kube.get(resourceTypes.pod, 'default', 'example-1');
  const { resourceVersion = '' } = pod?.metadata ?? {};
  assert.equal((await run(kube, { ...wanted(uid), resourceVersion })).outcome, 'done');
});

test('an image that admission has replaced by that of a mirror is not asked for over and over', async () => {
  const kube = createMemoryKube();
  const uid = put(kube, {
    annotations: {
      ...made.metadata.annotations,
      'etcd.version': '3.5.16',
      'quorate.io/image': wanted('').image,
    },
  });
  assert.equal((await run(kube, wanted(uid))).outcome, 'nothing');
});

test('a voter is not restarted while the others do not prove that they keep quorum', async () => {
  const kube = createMemoryKube();
  const voter = { id: 'a', others: [{ id: 'b', endpoint: null }], needed: 1 };
  const outcome = await run(kube, { ...wanted(put(kube)), voter });
  assert.deepEqual([outcome.outcome, kube.writes], ['moved', []]);
});
