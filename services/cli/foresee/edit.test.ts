import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryKube } from '../../../libs/engine/testing/memory-kube.ts';
import { engines } from '../../../libs/engines/index.ts';
import { isError, QuorateError } from '../../../libs/errors/catalogue.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { applyPatch, tryEdit } from './edit.ts';

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

/** Tries an edit of size 3 to size 5 at an API that answers it with this status. */
async function tryAt(status: number) {
  const [engine] = engines;
  assert.ok(engine);
  const key = { engine: engine.name, namespace: 'n', name: 'a' };
  const manifest = { engine, key, object: resource({ size: 5 }) };
  const kube = createMemoryKube();
  kube.patch = async () => {
    throw new QuorateError('KUBE_REFUSED', 'refused', { status });
  };
  return tryEdit(
    kube,
    manifest,
    applied(resource({ size: 3, paused: true }), { size: 3, paused: true, version: '1' }),
  );
}

test('without the right to try an edit, what it makes is put together here; any other refusal is one', async () => {
  const { resource: edited, isTried } = await tryAt(403);
  assert.deepEqual([edited['spec'], isTried], [{ size: 5, version: '1' }, false]);
  for (const status of [401, 422])
    await assert.rejects(tryAt(status), (error) => isError(error, 'KUBE_REFUSED'));
});
