import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision, StepRecord } from '../../libs/engine/decision.ts';
import { eventsOf } from './events.ts';
import type { WrittenCondition, WrittenStatus } from './status.ts';

const resource = {
  apiVersion: 'etcd.database.coreos.com/v1beta2',
  kind: 'EtcdCluster',
  metadata: { name: 'example', namespace: 'default', uid: 'u', resourceVersion: '9' },
};
const time = '2026-01-01T00:00:00Z';

function decided(steps: Partial<StepRecord>[] = [], more: Partial<Decision> = {}): Decision {
  return {
    format: 2,
    id: 'pass-1',
    kube: 'local',
    key: 'etcd/default/example',
    engine: { name: 'etcd', version: 1 },
    worker: 'worker-a',
    wokenBy: [],
    traceId: 't',
    time,
    spec: {},
    facts: {},
    nowMs: Date.parse(time) + 250,
    steps: steps.map((step) => ({
      step: 'createPod',
      why: 'pod a: made',
      outcome: 'done',
      durationMs: 1,
      ...step,
    })),
    durationMs: { observe: 0, plan: 0, act: 0 },
    ...more,
  };
}

const conditions = (...each: [string, WrittenCondition['status'], string?][]): WrittenStatus => ({
  conditions: each.map(([type, status, reason = 'R']) => ({
    ...{ type, status, reason, message: `${type} message` },
    ...{ lastTransitionTime: time, lastUpdateTime: time },
  })),
});

const said = (decision: Decision, before: WrittenStatus = {}, after?: WrittenStatus) =>
  eventsOf(decision, resource, before, after).map(
    ({ type, reason, message }) => `${type} ${reason}: ${message}`,
  );

test('each step that changed something is told in its own words, with what came of it', () => {
  const steps = [{}, { step: 'addMember', why: 'example-4: 3 members, 5 wanted', detail: 'member id 7' }];
  assert.deepEqual(said(decided(steps)), [
    'Normal CreatePod: pod a: made',
    'Normal AddMember: example-4: 3 members, 5 wanted (member id 7)',
  ]);
});

test('a step that failed is a warning, and what found nothing to do or was skipped is no news', () => {
  const steps = [
    { outcome: 'failed' as const, detail: 'no quota left' },
    { outcome: 'nothing' as const, detail: 'it exists already' },
    { outcome: 'moved' as const, detail: 'changed' },
    { outcome: 'skipped' as const },
  ];
  assert.deepEqual(said(decided(steps)), ['Warning CreatePodFailed: pod a: made: no quota left']);
});

test('a pass that did nothing and changed nothing is not told', () => {
  assert.deepEqual(said(decided()), []);
});

test('a condition that turns is told, as a warning when it turns to the bad', () => {
  const well = conditions(['Available', 'True'], ['Recovering', 'False']);
  const ill = conditions(['Available', 'False'], ['Recovering', 'True']);
  assert.deepEqual(said(decided(), well, ill), [
    'Warning Unavailable: Available message',
    'Warning Recovering: Recovering message',
  ]);
  assert.deepEqual(said(decided(), ill, well), [
    'Normal Available: Available message',
    'Normal Recovered: Recovering message',
  ]);
});

test('of a new cluster only that it became Available is news, not that all is as it should be', () => {
  const first = conditions(['Available', 'False'], ['Recovering', 'False'], ['Blocked', 'False']);
  assert.deepEqual(said(decided(), {}, first), []);
  assert.deepEqual(said(decided(), {}, conditions(['Available', 'True'])), [
    'Normal Available: Available message',
  ]);
});

test('a cluster that is blocked from its first pass says so', () => {
  assert.deepEqual(said(decided(), {}, conditions(['Blocked', 'True'])), [
    'Warning Blocked: Blocked message',
  ]);
});

test('a cluster that is blocked for another reason than before is told again, for the same reason it is not', () => {
  const before = conditions(['Blocked', 'True', 'QuorumLost']);
  assert.deepEqual(said(decided(), before, before), []);
  assert.equal(said(decided(), before, conditions(['Blocked', 'True', 'InvalidSpec'])).length, 1);
});

test('an upgrade is told when it begins and when it ends, and is no warning', () => {
  const running = conditions(['Upgrading', 'True', 'RollingUpgrade']);
  const rest = conditions(['Upgrading', 'False', 'NoUpgrade']);
  assert.deepEqual(
    [...said(decided(), rest, running), ...said(decided(), running, rest)].map((text) => text.split(':')[0]),
    ['Normal Upgrading', 'Normal UpgradeEnded'],
  );
  assert.deepEqual(said(decided(), {}, rest), []);
});

test('events are about the resource, from the time and by the worker of the decision', () => {
  const [event] = eventsOf(decided([{}]), resource, {}, undefined);
  const { namespace, name, uid, resourceVersion } = resource.metadata;
  const { apiVersion, kind } = resource;
  assert.deepEqual(event?.['involvedObject'], { apiVersion, kind, name, namespace, uid, resourceVersion });
  assert.equal(event?.['firstTimestamp'], time);
  assert.equal(event?.['reportingInstance'], 'worker-a');
});

test('the same record makes the same names, so that one that comes twice is told once', () => {
  const names = (decision: Decision) =>
    eventsOf(decision, resource, {}, undefined).map(({ metadata }) => metadata.name);
  const decision = decided([{}, {}, {}]);
  assert.deepEqual(names(decision), names(structuredClone(decision)));
  assert.equal(new Set([...names(decision), ...names({ ...decision, id: 'pass-2' })]).size, 6);
});

test('the names of events sort in the order of time, and of the steps within one decision', () => {
  const names = [
    ...eventsOf(decided(Array(20).fill({})), resource, {}, undefined),
    ...eventsOf(decided([{}], { id: 'a', nowMs: Date.parse(time) + 251 }), resource, {}, undefined),
  ].map(({ metadata }) => metadata.name);
  assert.deepEqual(names, names.toSorted());
  for (const name of names) assert.match(name, /^example\.[0-9a-f]+$/);
});

test('a message that is too long for the Kubernetes API is cut', () => {
  const [event] = eventsOf(decided([{ why: 'x'.repeat(3000) }]), resource, {}, undefined);
  const message = String(event?.['message']);
  assert.equal(message.length, 1024);
  assert.ok(message.endsWith('…'));
});
