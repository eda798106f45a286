import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryKube } from '../../../libs/engine/testing/memory-kube.ts';
import { type WorldSketch, well, worldOf } from '../../../libs/engines/etcd/testing/world.ts';
import { engines } from '../../../libs/engines/index.ts';
import { resourceTypeOf } from '../../../libs/kube/definition.ts';
import { foreseeEdit } from './foresee.ts';

/** What is foreseen of a cluster that is looked at, by what each look finds; and how often that was. */
async function foreseenOf(...looks: WorldSketch[]) {
  const [etcd] = engines;
  assert.ok(etcd);
  const type = resourceTypeOf(etcd.resource);
  const kube = createMemoryKube();
  const metadata = { namespace: 'default', name: 'example' };
  const object = { apiVersion: 'a/v1', kind: type.kind, metadata, spec: { size: 3 } };
  kube.put(type, object);
  let looked = 0;
  const observe = async () => worldOf(looks[looked++] ?? assert.fail('it is looked at once too often')).facts;
  const key = { engine: etcd.name, ...metadata };
  const looking = { kube, nowMs: Date.parse('2026-01-01'), signal: new AbortController().signal };
  const manifest = { engine: { ...etcd, observe }, key, object };
  const { forecast, notes } = await foreseeEdit(looking, kube, manifest);
  return { away: forecast.margin?.away, notes, looked };
}

const silent = { members: [...well(1, 2), { number: 3, silent: true as const }] };

test('a member that answers only the second time is not silent, and where all answer, they are asked once', async () => {
  assert.deepEqual(await foreseenOf({ members: well(1, 2, 3) }), { away: [], notes: [], looked: 1 });
  assert.deepEqual(await foreseenOf(silent, { members: well(1, 2, 3) }), { away: [], notes: [], looked: 2 });
});

test('a member that does not answer twice is taken for silent, which is said', async () => {
  const { away, notes, looked } = await foreseenOf(silent, silent);
  assert.deepEqual([away, looked], [['example-3'], 2]);
  assert.match(notes.join(), /example-3: does not answer/);
});
