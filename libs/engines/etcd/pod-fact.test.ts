import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/object.ts';
import { podFact } from './pod-fact.ts';

/** Pods as kubelet, scheduler and garbage collector of Kubernetes leave them, cut down to what is read. */
const created = '2026-01-01T00:00:00Z';
const since = '2026-01-01T00:01:00Z';
const atMs = Date.parse(since);

const pod = (status: object, spec: object = { nodeName: 'node1' }, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'example-1', uid: 'u', resourceVersion: '5', creationTimestamp: created, ...metadata },
  spec: { containers: [{ name: 'etcd', image: 'quay.io/coreos/etcd:v3.4.23' }], ...spec },
  status,
});
const notReady = { type: 'Ready', status: 'False', reason: 'ContainersNotReady', lastTransitionTime: since };
const waiting = (reason: string, message?: string, lastState: object = {}, restartCount = 0) => ({
  phase: 'Pending',
  conditions: [notReady],
  containerStatuses: [{ name: 'etcd', restartCount, state: { waiting: { reason, message } }, lastState }],
});

test('a pod that no node takes', () => {
  const message = "0/1 nodes are available: 1 node(s) didn't match node selector.";
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: since,
  };
  const fact = podFact(pod({ phase: 'Pending', conditions: [condition] }, {}));
  assert.deepEqual(fact.hindrance, {
    reason: 'Unschedulable',
    words: message,
    sinceMs: atMs,
    runsSinceMs: null,
  });
  assert.deepEqual([fact.nodeName, fact.hasRun, fact.trouble], [null, false, `Unschedulable: ${message}`]);
});

test('an image that cannot be pulled', () => {
  const fact = podFact(
    pod(waiting('ImagePullBackOff', 'Back-off pulling image "quay.io/coreos/none:v3.4.23"')),
  );
  assert.deepEqual(fact.hindrance, {
    reason: 'ImagePull',
    words: 'ImagePullBackOff: Back-off pulling image "quay.io/coreos/none:v3.4.23"',
    sinceMs: atMs,
    runsSinceMs: null,
  });
  assert.equal(fact.hasRun, false);
});

const terminated = { terminated: { exitCode: 2, message: 'first\nunknown flag: --nonesuch\n' } };

test('a container that crashes over and over, while it waits and while it runs again', () => {
  const crashing = podFact(pod(waiting('CrashLoopBackOff', 'back-off 10s', terminated, 3)));
  assert.equal(crashing.hindrance?.words, 'CrashLoopBackOff (exit code 2: unknown flag: --nonesuch)');
  assert.equal(crashing.hasRun, true);
  const running = {
    ...{ name: 'etcd', restartCount: 4 },
    ...{ state: { running: { startedAt: since } }, lastState: terminated },
  };
  const again = podFact(pod({ phase: 'Running', conditions: [notReady], containerStatuses: [running] }));
  assert.deepEqual([again.hindrance?.reason, again.hindrance?.runsSinceMs], ['ContainerFailing', atMs]);
  const ready = { ...notReady, status: 'True' };
  const well = podFact(pod({ phase: 'Running', conditions: [ready], containerStatuses: [running] }));
  assert.deepEqual([well.ready, well.hindrance], [true, null]);
});

test('a container that is just beginning is not hindered, one that cannot be made is', () => {
  assert.equal(podFact(pod(waiting('ContainerCreating'))).hindrance, null);
  const fact = podFact(pod(waiting('CreateContainerConfigError', 'secret "s" not found')));
  assert.equal(fact.hindrance?.words, 'CreateContainerConfigError: secret "s" not found');
});

test('a pod that the kubelet evicted has ended for good', () => {
  const message = 'The node was low on resource: memory.';
  const fact = podFact(pod({ phase: 'Failed', reason: 'Evicted', message }));
  assert.deepEqual(
    [fact.hindrance?.reason, fact.hindrance?.words, fact.hindrance?.sinceMs],
    ['PodFailed', `Evicted: ${message}`, Date.parse(created)],
  );
});

test('a pod that is being deleted tells by when it should have ended', () => {
  const fact = podFact(pod({ phase: 'Running' }, {}, { deletionTimestamp: since }));
  assert.deepEqual([fact.deleting, fact.endsByMs], [true, atMs]);
});

test('containers that others put into a pod say nothing about etcd, whatever their place in the lists', () => {
  const agent = {
    name: 'agent',
    state: { waiting: { reason: 'ImagePullBackOff', message: 'no such agent' } },
  };
  const etcd = { name: 'etcd', containerID: 'containerd://etcd', state: { running: { startedAt: since } } };
  const ready = { ...notReady, status: 'True' };
  const status = {
    phase: 'Running',
    podIP: '10.0.0.1',
    conditions: [ready],
    containerStatuses: [agent, etcd],
  };
  const containers = [
    { name: 'agent', image: 'agent:1' },
    { name: 'etcd', image: 'quay.io/coreos/etcd:v3.4.23' },
  ];
  const fact = podFact(pod(status, { nodeName: 'node1', containers }));
  assert.deepEqual(
    [fact.image, fact.containerId, fact.hasRun, fact.trouble, fact.hindrance],
    ['quay.io/coreos/etcd:v3.4.23', 'containerd://etcd', true, null, null],
  );
});

test('the image is that which was asked for, also where admission has put that of a mirror in its place', () => {
  const annotations = { 'quorate.io/image': 'quay.io/coreos/etcd:v3.4.23' };
  const containers = [{ name: 'etcd', image: 'mirror.example/etcd@sha256:0' }];
  assert.equal(podFact(pod({}, { containers }, { annotations })).image, 'quay.io/coreos/etcd:v3.4.23');
  assert.equal(podFact(pod({}, { containers })).image, 'mirror.example/etcd@sha256:0');
});

test('a container that ended because its image was changed has not failed, and the next one may', () => {
  const annotations = { 'quorate.io/changed-from': 'containerd://old' };
  const end = (containerID: string) => ({ terminated: { exitCode: 0, message: '', containerID } });
  const failing = (own: object) =>
    podFact(
      pod({ conditions: [notReady], containerStatuses: [{ name: 'etcd', ...own }] }, {}, { annotations }),
    ).hindrance?.reason;
  const running = { running: { startedAt: since } };
  assert.equal(failing({ containerID: 'containerd://old', state: end('containerd://old') }), undefined);
  assert.equal(failing({ state: running, lastState: end('containerd://old') }), undefined);
  assert.equal(failing({ state: running, lastState: end('containerd://new') }), 'ContainerFailing');
});
