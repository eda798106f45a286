import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modelSchema } from './models.ts';
import { applyPatch, mergePatch } from './patch.ts';
import { strategicMerge } from './strategic.ts';

const pod = modelSchema('V1Pod');
const two = {
  spec: {
    containers: [
      { name: 'a', image: '1' },
      { name: 'b', image: '1' },
    ],
  },
};

test('a merge patch replaces lists, merges objects and removes what is null', () => {
  const live = { spec: { list: [1, 2], keep: 1, gone: 2 } };
  const patched = mergePatch(live, { spec: { list: [3], gone: null, more: { a: null, b: 1 } } });
  assert.deepEqual(patched, { spec: { list: [3], keep: 1, more: { b: 1 } } });
  assert.deepEqual(live, { spec: { list: [1, 2], keep: 1, gone: 2 } }, 'the live object is left alone');
});

describe('a strategic merge patch', () => {
  test('merges containers by name and leaves the others', () => {
    const patched = strategicMerge(two, { spec: { containers: [{ name: 'b', image: '2' }] } }, pod);
    assert.deepEqual(patched, {
      spec: {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '2' },
        ],
      },
    });
  });

  test('removes an item with $patch: delete, and orders by $setElementOrder', () => {
    const patch = {
      spec: {
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }],
        containers: [
          { name: 'a', $patch: 'delete' },
          { name: 'c', image: '3' },
        ],
      },
    };
    const patched = strategicMerge(two, patch, pod);
    assert.deepEqual(patched, {
      spec: {
        containers: [
          { name: 'c', image: '3' },
          { name: 'b', image: '1' },
        ],
      },
    });
  });

  test('unites finalizers, and takes single ones out again', () => {
    const live = { metadata: { finalizers: ['x/a', 'x/b'] } };
    const added = strategicMerge(live, { metadata: { finalizers: ['x/c'] } }, pod);
    assert.deepEqual(added, { metadata: { finalizers: ['x/a', 'x/b', 'x/c'] } });
    const removed = strategicMerge(
      live,
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['x/a'] } },
      pod,
    );
    assert.deepEqual(removed, { metadata: { finalizers: ['x/b'] } });
  });

  test('replaces tolerations as a whole: they have no merge key', () => {
    const live = { spec: { tolerations: [{ key: 'a' }] } };
    const patched = strategicMerge(live, { spec: { tolerations: [{ key: 'b' }] } }, pod);
    assert.deepEqual(patched, { spec: { tolerations: [{ key: 'b' }] } });
  });
});

test('a JSON patch applies its operations in order, and says so when one does not apply', () => {
  const type = 'application/json-patch+json';
  const patched = applyPatch(
    two,
    type,
    [{ op: 'replace', path: '/spec/containers/0/image', value: '9' }],
    pod,
  );
  assert.equal((patched as typeof two).spec.containers[0]?.image, '9');
  assert.equal(two.spec.containers[0]?.image, '1');
  const failing = [{ op: 'test', path: '/spec/containers/0/image', value: '9' }];
  assert.throws(() => applyPatch(two, type, failing, pod), { code: 422, reason: 'Invalid' });
  assert.throws(() => applyPatch(two, type, { op: 'add' }, pod), { code: 400 });
  assert.throws(() => applyPatch(two, 'text/plain', [], pod), { code: 415 });
});
