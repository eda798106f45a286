import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { engines } from '../../../libs/engines/index.ts';
import { isError } from '../../../libs/errors/catalogue.ts';
import { formatKey } from '../../../libs/kube/key.ts';
import { readManifests } from './manifest.ts';

const cluster = (metadata: object) => ({
  apiVersion: 'etcd.database.coreos.com/v1beta2',
  kind: 'EtcdCluster',
  metadata,
});

async function keysIn(t: TestContext, text: string): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-manifest-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'file.yaml');
  await writeFile(file, text);
  const manifests = await readManifests(file, 'present', engines);
  return manifests.map(({ key }) => formatKey(key));
}

test('all clusters of a file are found, in their namespace or the present one, and other kinds passed over', async (t) => {
  const documents = [
    cluster({ name: 'a', namespace: 'own' }),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } },
    { apiVersion: 'v1', kind: 'List', items: [cluster({ name: 'b' }), cluster({ name: 'c' })] },
  ];
  const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  assert.deepEqual(await keysIn(t, text), ['etcd/own/a', 'etcd/present/b', 'etcd/present/c']);
});

test('what is no YAML, or holds no cluster, or is not there, is refused with the reason', async (t) => {
  const refused = (reason: RegExp) => (error: unknown) =>
    isError(error, 'MANIFEST_INVALID') && reason.test(error.message);
  await assert.rejects(keysIn(t, 'a: [1'), refused(/file\.yaml: /));
  await assert.rejects(keysIn(t, ''), refused(/holds no EtcdCluster of etcd\.database/));
  await assert.rejects(keysIn(t, JSON.stringify(cluster({}))), refused(/with a name/));
  await assert.rejects(readManifests('/nowhere/at/all', 'n', engines), refused(/ENOENT/));
});
