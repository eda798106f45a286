import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type KubeObject, labels, resourceTypes } from '../../libs/kube/object.ts';
import { type EventContext, eventOf, placeOf, vanishedEventOf, type WatchedKind } from './event.ts';
import { redact } from './redact.ts';

const context: EventContext = { kube: 'local', engines: new Set(['etcd']), digestKey: 'k'.repeat(32) };
const now = new Date('2026-01-02T03:04:05Z');
const etcdCluster = {
  group: 'e.io',
  version: 'v1',
  kind: 'EtcdCluster',
  plural: 'etcdclusters',
  namespaced: true,
};
const custom: WatchedKind = { type: etcdCluster, engine: 'etcd' };
const pods: WatchedKind = { type: resourceTypes.pod };

const ours = { [labels.managedBy]: 'quorate', [labels.engine]: 'etcd', [labels.cluster]: 'db' };

function object(metadata: Partial<KubeObject['metadata']>, rest: object = {}): KubeObject {
  const standard = { name: 'db-1', namespace: 'prod', uid: 'u1', resourceVersion: '7' };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...standard, ...metadata }, ...rest };
}

describe('the place of an object', () => {
  test('a custom resource is its own cluster', () => {
    const place = placeOf(object({ name: 'my.db' }), custom, context);
    assert.deepEqual(place, { subject: 'quorate.events.local.etcd.prod.my_db.etcdclusters.my_db' });
  });

  test('every other object has its cluster from its labels and its namespace', () => {
    const place = placeOf(object({ labels: ours }), pods, context);
    assert.deepEqual(place, { subject: 'quorate.events.local.etcd.prod.db.pods.db-1' });
  });

  test('without the labels, with an unknown engine or a name that no subject can have, there is none', () => {
    const reasonOf = (metadata: Partial<KubeObject['metadata']>) => {
      const place = placeOf(object(metadata), pods, context);
      return 'reason' in place ? place.reason : place.subject;
    };
    assert.equal(reasonOf({}), 'unlabelled');
    assert.equal(reasonOf({ labels: { ...ours, [labels.engine]: 'nosuch' } }), 'unlabelled');
    assert.equal(reasonOf({ labels: { ...ours, [labels.cluster]: '' } }), 'unlabelled');
    assert.equal(reasonOf({ labels: { ...ours, [labels.cluster]: 'a_b' } }), 'bad-name');
  });
});

describe('the event of a change', () => {
  test('has the same id wherever it is made', () => {
    const change = object({ managedFields: [{}] }, { spec: { a: 1 } });
    const [one, other] = [0, 1].map(() => eventOf(change, 'modified', context, now));
    assert.equal(one?.id, 'u1/7/modified');
    assert.equal(one?.id, other?.id);
    assert.equal(one?.type, 'io.quorate.kube.modified');
    assert.equal(one?.source, 'quorate/watcher/local');
    assert.equal(one?.time, '2026-01-02T03:04:05.000Z');
    assert.deepEqual(one?.data, object({}, { spec: { a: 1 } }));
  });

  test('says who wrote last, as far as seconds tell, and of a deletion nobody', () => {
    const written = (manager: string, time: string, subresource?: string) => ({ manager, time, subresource });
    const managedFields = [
      written('kubectl-patch', '2026-01-02T03:04:05Z'),
      written('helm', '2026-01-02T03:04:04Z'),
      written('kubelet', '2026-01-02T03:04:05Z', 'status'),
    ];
    assert.equal(
      eventOf(object({ managedFields }), 'modified', context, now).changedby,
      'kubectl-patch,kubelet/status',
    );
    assert.ok(!('changedby' in eventOf(object({ managedFields }), 'deleted', context, now)));
    assert.ok(!('changedby' in eventOf(object({}), 'modified', context, now)));
  });

  test('an unseen deletion tells the last state as it was told', () => {
    const secret = object({}, { kind: 'Secret', data: { password: 'Y2FuYXJ5' } });
    const last = eventOf(secret, 'added', context, now);
    const vanished = vanishedEventOf(last, context, now);
    assert.equal(vanished.id, 'u1/7/deleted');
    assert.deepEqual(vanished.data, last.data);
  });
});

describe('a Secret in an event', () => {
  const secret = (data: object, annotations: Record<string, string> = {}) =>
    object({ annotations }, { kind: 'Secret', type: 'Opaque', data, stringData: { plain: 'canary' } });

  test('shows its keys and that it changed, nothing of its data, wherever kubectl left a copy', () => {
    const copy = {
      'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"a":"Y2FuYXJ5"}}',
      kept: 'yes',
    };
    const redacted = redact(secret({ b: 'eA==', a: 'Y2FuYXJ5' }, copy), context.digestKey);
    assert.doesNotMatch(JSON.stringify(redacted), /Y2FuYXJ5|canary|eA==/);
    assert.deepEqual(redacted['keys'], ['a', 'b']);
    assert.deepEqual(redacted.metadata.annotations, { kept: 'yes' });
  });

  test('has a digest of the data alone, that depends on the key', () => {
    const digest = (data: object, key = context.digestKey) => redact(secret(data), key)['digest'];
    assert.equal(digest({ a: 'MQ==', b: 'Mg==' }), digest({ b: 'Mg==', a: 'MQ==' }));
    assert.notEqual(digest({ a: 'MQ==' }), digest({ a: 'Mg==' }));
    assert.notEqual(digest({ a: 'MQ==' }), digest({ a: 'MQ==' }, 'another key'));
  });
});

test('the values of environment variables leave no pod and no custom resource, nor does what a container said of them', () => {
  const env = [{ name: 'PASSWORD', value: 'canary-4e' }];
  const message = 'refused: canary-4e is wrong';
  const objects = [
    {
      spec: { containers: [{ name: 'etcd', env }] },
      status: { containerStatuses: [{ lastState: { message } }] },
    },
    { spec: { size: 3, pod: { etcdEnv: env } } },
  ];
  for (const [index, fields] of objects.entries()) {
    const metadata = { name: 'a', namespace: 'default', uid: 'u', resourceVersion: '1' };
    const redacted = redact({ apiVersion: 'v1', kind: 'Any', metadata, ...fields }, context.digestKey);
    assert.doesNotMatch(JSON.stringify(redacted), /canary/, `object ${index}`);
    assert.match(JSON.stringify(redacted), /"name":"PASSWORD","value":"\(secret /);
  }
});
