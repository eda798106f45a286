import assert from 'node:assert/strict';
import test from 'node:test';
import { blockedText } from '../../../libs/engine/blocked.ts';
import type { Decision } from '../../../libs/engine/decision.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { changeLines, stepLines } from './changes.ts';
import { type ClusterView, viewCluster } from './cluster.ts';
import { plain } from './paint.ts';
import { clusterLines } from './table.ts';
import { howToReach } from './things-to-try.ts';

const holds = (type: string, message = '') => ({ type, status: 'True', reason: 'Because', message });

function resource(status: object, spec: object = { size: 3 }): KubeObject {
  return {
    apiVersion: 'etcd.database.coreos.com/v1beta2',
    kind: 'EtcdCluster',
    metadata: { name: 'a', namespace: 'default', generation: 2 },
    spec,
    status: { observedGeneration: 2, ...status },
  };
}

function pod(number: number, ready: boolean, more: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `a-${number}`,
      namespace: 'default',
      labels: { 'quorate.io/engine': 'etcd', 'quorate.io/cluster': 'a', 'quorate.io/member': String(number) },
    },
    status: {
      phase: 'Running',
      podIP: `127.0.1.${number}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      ...more,
    },
  };
}

const running = { phase: 'Running', currentVersion: '3.4.23', conditions: [holds('Available')] };

function decision(part: Partial<Decision>): Decision {
  return {
    format: 2,
    id: 'one',
    kube: 'local',
    key: 'etcd/default/a',
    engine: { name: 'etcd', version: 1 },
    worker: 'worker-1',
    wokenBy: [],
    traceId: '',
    time: '2026-01-01T00:00:00.000Z',
    spec: {},
    facts: {},
    nowMs: 0,
    steps: [],
    durationMs: { observe: 0, plan: 0, act: 0 },
    ...part,
  };
}

test('members are shown in the order of their numbers, aligned, with state, role and address', () => {
  const pods = [pod(10, false), pod(2, true), pod(1, true, { containerStatuses: [{ restartCount: 1 }] })];
  const last = { decision: decision({}), roles: { 'a-1': 'leader', 'a-2': 'follower' } };
  assert.deepEqual(clusterLines([viewCluster('etcd', resource(running), pods, last)], plain), [
    'etcd/default/a  Running  2 of 3 ready  version 3.4.23',
    '  #1   a-1   ready     leader    127.0.1.1   1 restart',
    '  #2   a-2   ready     follower  127.0.1.2',
    '  #10  a-10  starting            127.0.1.10',
  ]);
});

test('pods of another cluster, engine or namespace are not members', () => {
  const other = pod(1, true);
  other.metadata = { ...other.metadata, namespace: 'elsewhere' };
  assert.deepEqual(viewCluster('etcd', resource(running), [other]).members, []);
  assert.deepEqual(viewCluster('redis', resource(running), [pod(1, true)]).members, []);
});

test('a member without a pod is shown as such, and a pod that ends as Terminating', () => {
  const ending = pod(2, true);
  ending.metadata = { ...ending.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
  const view = viewCluster('etcd', resource({ members: { ready: ['a-2'], unready: ['a-1'] } }), [ending]);
  assert.deepEqual(
    view.members.map(({ name, number, state, ready }) => ({ name, number, state, ready })),
    [
      { name: 'a-1', number: 1, state: 'no pod', ready: false },
      { name: 'a-2', number: 2, state: 'Terminating', ready: false },
    ],
  );
});

test('a cluster is settled when it is available, all members are ready, nothing is in progress and the status is of the present spec', () => {
  const settled = (status: object, ready = true) =>
    viewCluster('etcd', resource(status, { size: 2 }), [pod(1, true), pod(2, ready)]).settled;
  assert.equal(settled(running), true);
  assert.equal(settled({ ...running, observedGeneration: 1 }), false);
  assert.equal(settled({ ...running, conditions: [holds('Available'), holds('Recovering')] }), false);
  assert.equal(settled({ ...running, conditions: [holds('Available'), holds('Scaling')] }), false);
  assert.equal(settled({ conditions: [] }), false);
  assert.equal(settled(running, false), false);
});

test('what blocks a cluster is shown before what else goes on', () => {
  const parts = { rule: 'quorum', evidence: '1 of 3', since: '2026-01-01T00:00:00Z', action: 'wait' };
  const conditions = [holds('Scaling', '3 of 5'), holds('Blocked', blockedText(parts))];
  assert.deepEqual(
    clusterLines([viewCluster('etcd', resource({ phase: 'Failed', conditions }), [])], plain),
    [
      'etcd/default/a  Failed  0 of 3 ready',
      '  Blocked:',
      '    Rule: quorum',
      '    Evidence: 1 of 3',
      '    Since: 2026-01-01T00:00:00Z',
      '    What you can do: wait',
      '  Scaling: 3 of 5',
    ],
  );
});

test('only what changed becomes a line', () => {
  const before = [viewCluster('etcd', resource({ phase: 'Creating' }), [pod(1, false)])];
  const after = [viewCluster('etcd', resource(running, { size: 1 }), [pod(1, true)])];
  assert.deepEqual(changeLines([], before), [
    'etcd/default/a: member 1 a-1 starting',
    'etcd/default/a: phase Creating',
  ]);
  assert.deepEqual(changeLines(before, after), [
    'etcd/default/a: member 1 a-1 ready',
    'etcd/default/a: phase Running',
    'etcd/default/a: Available, 1 of 1 members ready',
  ]);
  assert.deepEqual(changeLines(after, after), []);
  const none: ClusterView[] = [];
  assert.deepEqual(changeLines(after, none), ['etcd/default/a: gone']);
});

test('steps are told with their why; those that found nothing to do are not', () => {
  const step = { step: 'createPod', durationMs: 1 };
  const steps: Decision['steps'] = [
    { ...step, why: 'make the seeds', outcome: 'done' },
    { ...step, why: 'make the service', outcome: 'nothing', detail: 'it is there' },
    { ...step, why: 'promote a-4', outcome: 'moved', detail: 'not caught up' },
  ];
  assert.deepEqual(stepLines(decision({ steps }), plain), [
    '✔ etcd/default/a: CreatePod: make the seeds',
    '↻ etcd/default/a: CreatePod: promote a-4; looking again: not caught up',
  ]);
});

test('a pass that could not look says why', () => {
  const error = { code: 'KUBE_UNREACHABLE', message: 'the Kubernetes API did not answer', retryable: true };
  assert.deepEqual(stepLines(decision({ error }), plain), [
    '✘ etcd/default/a: the Kubernetes API did not answer',
  ]);
});

test('the lines to copy are safe for a shell, and PATH is only named where it is needed', () => {
  const onPath = howToReach('/home/me/my work/kubeconfig', { path: '/usr/bin/kubectl', onPath: true });
  assert.ok(onPath.includes("  export KUBECONFIG='/home/me/my work/kubeconfig'"));
  assert.ok(!onPath.some((line) => line.includes('export PATH')));
  const elsewhere = howToReach('/x/kubeconfig', { path: '/cache/kubectl-1/kubectl', onPath: false });
  assert.ok(elsewhere.includes('  export PATH=/cache/kubectl-1:"$PATH"'));
});
