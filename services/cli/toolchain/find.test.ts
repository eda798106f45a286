import assert from 'node:assert/strict';
import test from 'node:test';
import { isError } from '../../../libs/errors/catalogue.ts';
import { findPrograms, type Lookup } from './find.ts';
import { parseVersion } from './kubectl.ts';
import { describeMissing, programsNeeded } from './programs.ts';

/** A machine that has these files, and kubectls of these versions. */
function machineWith(
  files: Record<string, { major: number; minor: number } | undefined>,
  fromNpm?: string,
): Lookup {
  return {
    isProgram: (path) => path in files,
    kubectlVersion: async (path) => files[path],
    fromNpm: async (name) => fromNpm && `${fromNpm}/${name}`,
  };
}

test('a program is found by its variable before PATH, and on PATH before the folders for servers', async () => {
  const lookup = machineWith({
    '/opt/nats': undefined,
    '/usr/bin/nats-server': undefined,
    '/usr/sbin/redis-server': undefined,
    '/home/me/bin/redis-server': undefined,
  });
  const environment = { PATH: '/usr/bin:/home/me/bin', NATS_SERVER: '/opt/nats' };
  const found = await findPrograms(['natsServer', 'redisServer'], environment, lookup);
  assert.deepEqual(found, {
    paths: { natsServer: '/opt/nats', redisServer: '/home/me/bin/redis-server' },
    missing: [],
  });
});

test('without PATH the folders for servers are still looked at', async () => {
  const found = await findPrograms(
    ['natsServer', 'etcd'],
    {},
    machineWith({ '/usr/sbin/nats-server': undefined }),
  );
  assert.deepEqual(found, { paths: { natsServer: '/usr/sbin/nats-server' }, missing: ['etcd'] });
});

test('a variable may hold a bare name, which PATH resolves', async () => {
  const lookup = machineWith({ '/usr/bin/etcd-3.5': undefined, '/usr/bin/etcd': undefined });
  const found = await findPrograms(['etcd'], { PATH: '/usr/bin', ETCD: 'etcd-3.5' }, lookup);
  assert.equal(found.paths.etcd, '/usr/bin/etcd-3.5');
});

test('a variable that names no program is an error, not a reason to take another one', async () => {
  const lookup = machineWith({ '/usr/bin/etcd': undefined });
  await assert.rejects(
    findPrograms(['etcd'], { PATH: '/usr/bin', ETCD: '/nowhere/etcd' }, lookup),
    (error) => isError(error, 'CONFIG_INVALID') && error.message.includes('ETCD=/nowhere/etcd'),
  );
});

test('a kubectl that is too old or does not run is passed over for the one npm brings', async () => {
  const inPath = { PATH: '/usr/bin' };
  const find = async (version: { major: number; minor: number } | undefined, npm?: string) =>
    (await findPrograms(['kubectl'], inPath, machineWith({ '/usr/bin/kubectl': version }, npm))).paths
      .kubectl;
  assert.equal(await find({ major: 1, minor: 29 }, '/npm'), '/usr/bin/kubectl');
  assert.equal(await find({ major: 2, minor: 0 }, '/npm'), '/usr/bin/kubectl');
  assert.equal(await find({ major: 1, minor: 28 }, '/npm'), '/npm/kubectl');
  assert.equal(await find(undefined, '/npm'), '/npm/kubectl');
  assert.equal(await find({ major: 1, minor: 20 }), undefined);
});

test('a kubectl that the user names is taken at any version', async () => {
  const lookup = machineWith({ '/old/kubectl': { major: 1, minor: 20 } }, '/npm');
  const found = await findPrograms(['kubectl'], { KUBECTL: '/old/kubectl' }, lookup);
  assert.equal(found.paths.kubectl, '/old/kubectl');
});

test('helm comes from its variable, from PATH, then from npm', async () => {
  const find = async (files: string[], environment: Record<string, string>) =>
    (
      await findPrograms(
        ['helm'],
        environment,
        machineWith(Object.fromEntries(files.map((file) => [file, undefined])), '/npm'),
      )
    ).paths.helm;
  assert.equal(await find(['/my/helm', '/usr/bin/helm'], { PATH: '/usr/bin', HELM: '/my/helm' }), '/my/helm');
  assert.equal(await find(['/usr/bin/helm'], { PATH: '/usr/bin' }), '/usr/bin/helm');
  assert.equal(await find([], { PATH: '/usr/bin' }), '/npm/helm');
});

test('the version of kubectl is read from what it says', () => {
  assert.deepEqual(parseVersion('v1.35.2'), { major: 1, minor: 35 });
  assert.deepEqual(parseVersion('v1.32.4-dispatcher'), { major: 1, minor: 32 });
  assert.equal(parseVersion('undefined'), undefined);
});

test('what is given from outside needs no program here', () => {
  assert.deepEqual(programsNeeded({ kube: true, nats: true, redis: true }), ['kubectl']);
  assert.deepEqual(programsNeeded({ kube: true, nats: false, redis: true }), ['natsServer', 'kubectl']);
  assert.deepEqual(programsNeeded({ kube: false, nats: true, redis: true }), [
    'etcd',
    'etcdctl',
    'bwrap',
    'kubectl',
  ]);
});

test('the list of what is missing names every package, every variable and one command', () => {
  assert.equal(
    describeMissing(['natsServer', 'bwrap', 'kubectl']),
    [
      '  nats-server  Debian package nats-server, or its path in NATS_SERVER',
      '  bwrap        Debian package bubblewrap, or its path in BWRAP',
      '  kubectl      kubectl 1.29 or later from kubernetes.io, or its path in KUBECTL',
      'All at once: sudo apt-get install nats-server bubblewrap',
    ].join('\n'),
  );
});
