import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type KubeObject, resourceTypes } from '../kube/object.ts';
import { createHistory } from './api/history.ts';
import { createStore } from './memory.ts';

const { pod, claim } = resourceTypes;
const newPod = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec,
});

describe('the store', () => {
  test('gives every change a later resourceVersion, and a new generation only to a new spec', () => {
    const store = createStore();
    const created = store.create(pod, newPod('a'));
    const labelled = store.update(pod, 'default', 'a', (old) => ({ ...old, status: { phase: 'Running' } }));
    assert.equal(Number(labelled?.metadata.resourceVersion), Number(created.metadata.resourceVersion) + 1);
    assert.equal(labelled?.metadata.generation, 1);
    const changed = store.update(pod, 'default', 'a', (old) => ({ ...old, spec: { nodeName: 'n' } }));
    assert.equal(changed?.metadata.generation, 2);
    assert.equal(
      store.update(pod, 'default', 'a', (old) => structuredClone(old)),
      changed,
      'equal: no change',
    );
    assert.throws(() => store.create(pod, newPod('a')), { code: 409, reason: 'AlreadyExists' });
  });

  test('lets a pod on a node stop within its grace, and any other go at once', () => {
    const store = createStore();
    store.create(pod, newPod('waiting'));
    store.delete(pod, 'default', 'waiting');
    assert.equal(store.get(pod, 'default', 'waiting'), undefined);

    store.create(pod, newPod('running', { nodeName: 'n', terminationGracePeriodSeconds: 9 }));
    store.delete(pod, 'default', 'running');
    assert.equal(store.get(pod, 'default', 'running')?.metadata.deletionGracePeriodSeconds, 9);
    store.delete(pod, 'default', 'running', { gracePeriodSeconds: 30 });
    assert.equal(
      store.get(pod, 'default', 'running')?.metadata.deletionGracePeriodSeconds,
      9,
      'never longer',
    );
    store.delete(pod, 'default', 'running', { gracePeriodSeconds: 0 });
    assert.equal(store.get(pod, 'default', 'running'), undefined);
  });

  test('keeps an object until its last finalizer is gone', () => {
    const store = createStore();
    const held = { ...newPod('a'), kind: 'PersistentVolumeClaim' };
    store.create(claim, { ...held, metadata: { ...held.metadata, finalizers: ['x/y'] } });
    store.delete(claim, 'default', 'a');
    assert.ok(store.get(claim, 'default', 'a')?.metadata.deletionTimestamp);
    store.update(claim, 'default', 'a', (old) => ({ ...old, metadata: { ...old.metadata, finalizers: [] } }));
    assert.equal(store.get(claim, 'default', 'a'), undefined);
  });

  test('deletes only the object that was meant', () => {
    const store = createStore();
    store.create(pod, newPod('a'));
    assert.throws(() => store.delete(pod, 'default', 'a', { uid: 'other' }), {
      code: 409,
      reason: 'Conflict',
    });
    assert.throws(() => store.delete(pod, 'default', 'a', { resourceVersion: '99' }), { code: 409 });
    assert.ok(store.get(pod, 'default', 'a'));
  });

  test('tells all listeners of changes in one order, also of those that a listener makes', () => {
    const store = createStore();
    const seen: string[] = [];
    store.watch(({ type, object }) => {
      if (type === 'ADDED' && object.metadata.name === 'a') store.create(pod, newPod('b'));
    });
    store.watch(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
    store.create(pod, newPod('a'));
    assert.deepEqual(seen, ['ADDED a', 'ADDED b']);
  });
});

describe('the history', () => {
  test('shows the past of a list, and says when it is too long ago', () => {
    const store = createStore();
    const history = createHistory(store, 2);
    store.create(pod, newPod('a'));
    const then = store.resourceVersion();
    store.create(pod, newPod('b'));
    store.delete(pod, 'default', 'a');
    assert.deepEqual(
      history.listAt(pod, undefined, then).map((object) => object.metadata.name),
      ['a'],
    );
    assert.deepEqual(
      history.since(pod, then).map((change) => change.type),
      ['ADDED', 'DELETED'],
    );
    for (const name of ['c', 'd', 'e']) store.create(pod, newPod(name));
    assert.throws(() => history.since(pod, then), { code: 410, reason: 'Expired' });
  });
});
