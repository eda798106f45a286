import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { applyPatch } from './edit.ts';

const resource = (spec: object, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'a/v1',
  kind: 'A',
  metadata: { name: 'a', ...metadata },
  spec,
});

/** As it stands in the API after `kubectl apply` of `file`. */
const applied = (file: KubeObject, spec: object): KubeObject => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(file) };
  return resource(spec, { annotations, resourceVersion: '7' });
};

test('the patch says what the file says, and nothing of what the API has added', () => {
  const edited = resource({ size: 5 }, { resourceVersion: '3', uid: 'u', labels: { a: 'b' } });
  const present = applied(resource({ size: 3 }), { size: 3, version: '1' });
  assert.deepEqual(applyPatch(edited, present), {
    metadata: { labels: { a: 'b' }, annotations: {} },
    spec: { size: 5 },
  });
});

test('what the file said before and does not say any more is removed, at any depth', () => {
  const before = resource({ size: 3, version: '1', pod: { labels: { a: '1', b: '2' } } });
  const present = applied(before, { size: 3, version: '1', pod: { labels: { a: '1', b: '2', c: '3' } } });
  const edited = resource({ size: 3, pod: { labels: { a: '1' } } });
  assert.deepEqual(applyPatch(edited, present)['spec'], {
    size: 3,
    version: null,
    pod: { labels: { a: '1', b: null } },
  });
});
