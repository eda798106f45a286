import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberPod } from './member-pod.ts';
import { podFact } from './pod-fact.ts';
import type { EtcdSpec } from './resource.ts';
import { planFor, type Sketch, uid, worldOf } from './testing/world.ts';

const cluster = { namespace: 'default', name: 'example', uid };
const podSpec = {
  labels: { team: 'a' },
  resources: { requests: { cpu: '1' } },
  etcdEnv: [
    { name: 'X', value: '1' },
    { name: 'EMPTY', value: '' },
  ],
};

/** A member whose pod was made for this spec, as the pod itself says. */
function madeFor(number: number, pod: EtcdSpec['pod'], spec: Partial<EtcdSpec> = {}): Sketch {
  const whole = { ...worldOf({ size: 1 }).spec, ...(pod && { pod }), ...spec };
  const { madeWith, image } = podFact(memberPod(cluster, whole, number, { as: 'returning' }, undefined));
  return { number, podFact: { madeWith, image } };
}

const conditionFor = (members: Sketch[], spec: Record<string, unknown>) =>
  planFor({ members, spec }).status?.conditions.find(({ type }) => type === 'SpecApplied');

test('while all pods are as the spec asks for, nothing waits', () => {
  const condition = conditionFor([madeFor(1, podSpec), madeFor(2, podSpec)], { pod: podSpec });
  assert.deepEqual([condition?.status, condition?.reason], ['True', 'AsAsked']);
});

test('each field that running pods were not made with is named, and so are they', () => {
  const changes: [path: string, spec: Record<string, unknown>][] = [
    ['spec.pod.labels', { pod: { ...podSpec, labels: { team: 'b' } } }],
    ['spec.pod.resources', { pod: { ...podSpec, resources: {} } }],
    ['spec.pod.nodeSelector', { pod: { ...podSpec, nodeSelector: { disk: 'fast' } } }],
    ['spec.pod.etcdEnv', { pod: { ...podSpec, etcdEnv: [{ name: 'X', value: '2' }] } }],
    ['spec.pod.etcdEnv', { pod: { ...podSpec, etcdEnv: [] } }],
    ['spec.pod.persistentVolumeClaimSpec', { pod: { ...podSpec, persistentVolumeClaimSpec: {} } }],
    ['spec.repository', { pod: podSpec, repository: 'mirror.example/etcd' }],
  ];
  for (const [path, spec] of changes) {
    const condition = conditionFor([madeFor(1, podSpec), madeFor(2, podSpec)], spec);
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'PodsOlder'], path);
    assert.ok(
      condition?.message.startsWith(`${path}: not what example-1, example-2 were made with`),
      condition?.message,
    );
  }
});

test('what asks for nothing is no change', () => {
  const empty = { labels: {}, tolerations: [], affinity: {}, antiAffinity: false, ClusterDomain: '' };
  assert.equal(conditionFor([madeFor(1, undefined)], { pod: empty })?.status, 'True');
});

test('only the pods of before are named', () => {
  const spec = { pod: { ...podSpec, labels: { team: 'b' } } };
  const condition = conditionFor([madeFor(1, podSpec), madeFor(2, spec.pod)], spec);
  assert.match(condition?.message ?? '', /^spec\.pod\.labels: not what example-1 were made with/);
});

test('to delete a pod is only advised where the data survives it', () => {
  const spec = { pod: { labels: { team: 'b' } } };
  const alone = conditionFor([madeFor(1, undefined)], spec);
  assert.match(alone?.message ?? '', /nothing without losing data/);
  const three = conditionFor(
    [1, 2, 3].map((number) => madeFor(number, undefined)),
    spec,
  );
  assert.match(three?.message ?? '', /delete these pods, one at a time/);
});

test('fields without an effect are named, whatever else', () => {
  const condition = conditionFor([madeFor(1, undefined)], { pod: { busyboxImage: 'busybox:1.28' } });
  assert.equal(condition?.status, 'True');
  assert.match(
    condition?.message ?? '',
    /spec\.pod\.busyboxImage is accepted for compatibility and has no effect/,
  );
});

test('of pods that do not say what they were made with, nothing is said', () => {
  assert.equal(conditionFor([{ number: 1 }], { pod: podSpec })?.status, 'True');
  assert.equal(
    podFact({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', annotations: { 'quorate.io/made-with': '{' } },
    }).madeWith,
    null,
  );
});
