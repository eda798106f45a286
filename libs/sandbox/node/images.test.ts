import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findImage, imageTable, parseReference } from './images.ts';
import { Waiting } from './spec.ts';

const printed = async () => 'etcd Version: 3.9.1\nGit SHA: x\n';

test('a reference is read by its last part', () => {
  assert.deepEqual(parseReference('quay.io:443/coreos/etcd:v3.2.13'), { name: 'etcd', version: '3.2.13' });
  assert.deepEqual(parseReference('busybox'), { name: 'busybox', version: 'latest' });
  assert.deepEqual(parseReference('a/redis:7@sha256:00'), { name: 'redis', version: '7' });
  assert.equal(parseReference('a/vault:victory').version, 'victory');
});

test("any version is the machine's own, and any other image its programs at large", async () => {
  const table = await imageTable(new Map(), { ETCD: '/bin/sh' }, printed);
  const image = findImage(table, 'quay.io/coreos/etcd:3.2.13', false);
  assert.deepEqual([image.root, image.command, image.runs], ['/', ['etcd'], 'etcd 3.9.1']);
  assert.equal(findImage(table, 'busybox', true).root, '/');
});

test('with versions to choose from, each is just itself, and others do not exist', async () => {
  const table = await imageTable(new Map([['etcd:3.5.16', '/roots/etcd']]), { ETCD: '/bin/sh' }, printed);
  assert.equal(findImage(table, 'gcr.io/etcd-development/etcd:v3.5.16', true).root, '/roots/etcd');
  assert.equal(findImage(table, 'quay.io/coreos/etcd:v3.9.1', true).root, '/');
  assert.throws(
    () => findImage(table, 'quay.io/coreos/etcd:v3.5.99', true),
    (error) => error instanceof Waiting && /not found.*etcd:3\.5\.16, etcd:3\.9\.1/.test(error.message),
  );
});

test('what cannot run says why', async () => {
  const table = await imageTable(new Map(), {}, printed);
  const refused = (reference: string, message: RegExp) =>
    assert.throws(
      () => findImage(table, reference, false),
      (error) =>
        error instanceof Waiting && error.reason === 'ImagePullBackOff' && message.test(error.message),
    );
  refused('nginx:1', /"nginx:1".*--image/);
  refused('quay.io/coreos/etcd', /etcd-server.*ETCD/);
});
