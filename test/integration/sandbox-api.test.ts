import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type KubeObject, resourceTypes } from '../../libs/kube/object.ts';
import { createStore } from '../../libs/sandbox/memory.ts';
import type { NodeFaults } from '../../libs/sandbox/node-faults.ts';
import type { Runtime } from '../../libs/sandbox/runtime.ts';
import { type SandboxApi, startApi } from '../../libs/sandbox/server.ts';
import { createTestLog } from '../log.ts';
import { until } from '../wait.ts';

/** Real kubectl against the sandbox's API, with a store of its own and a node that only echoes. */

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'databases.test.quorate.io' },
  spec: {
    group: 'test.quorate.io',
    scope: 'Namespaced',
    names: { plural: 'databases', kind: 'Database', shortNames: ['db'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          {
            name: 'Available',
            type: 'string',
            jsonPath: '.status.conditions[?(@.type=="Available")].status',
          },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 7, default: 3 },
                  version: { type: 'string', pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$' },
                  pod: {
                    type: 'object',
                    description: 'How the pods of the members look.',
                    properties: {
                      labels: {
                        type: 'object',
                        description: 'Labels of every pod.',
                        additionalProperties: { type: 'string' },
                      },
                    },
                  },
                },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

const database = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'test.quorate.io/v1',
  kind: 'Database',
  metadata: { name, ...metadata },
  spec,
});
const pod = (name: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
});
const configMap = (name: string, metadata: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
});

/** Logs two lines; runs a "command" that repeats its words and its input, and exits with 3. */
const runtime: Runtime = {
  logs: () => Promise.resolve(Readable.from(['first\n', 'second\n'])),
  exec: (_pod, _container, command) => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    stdout.write(`${command.join(' ')}\n`);
    stderr.end('a complaint\n');
    stdin.pipe(stdout);
    const exit = once(stdout, 'end').then(() => 3);
    return Promise.resolve({ stdin, stdout, stderr, exit, kill: () => stdin.destroy() });
  },
};

const unbreakable: NodeFaults = {
  die: () => Promise.reject(new Error('there is no node')),
  revive: () => {},
  emptyClaim: () => false,
};

const store = createStore();
const log = createTestLog();
let directory = '';
let api: SandboxApi;
const running = new Set<ChildProcess>();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-sandbox-api-'));
  let host = 0;
  const allocateClusterIp = (): string => {
    host += 1;
    return `127.90.0.${host}`;
  };
  api = await startApi({ store, directory, runtime, node: unbreakable, allocateClusterIp, log });
  const { code, output } = await kubectl(['create', '-f', '-'], definition);
  assert.equal(code, 0, output);
});

after(async () => {
  for (const child of running) child.kill('SIGKILL');
  await api?.close();
  await rm(directory, { recursive: true, force: true });
  assert.deepEqual(log.lines, [], 'the API has nothing to complain about');
});

function start(args: string[]): ChildProcess {
  const program = process.env['KUBECTL'] ?? 'kubectl';
  const cache = ['--cache-dir', join(directory, 'cache')];
  const child = spawn(program, ['--kubeconfig', api.kubeconfigPath, ...cache, ...args]);
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

/** Runs kubectl to its end; `input` goes to its stdin, objects as JSON. */
async function kubectl(
  args: string[],
  ...input: (object | string)[]
): Promise<{ code: unknown; output: string }> {
  const child = start(args);
  const texts = input.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
  child.stdin?.end(texts.join('\n'));
  const exited = once(child, 'exit');
  const [out, error, [code]] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    exited,
  ]);
  return { code, output: out + error };
}

async function succeeds(args: string[], ...input: (object | string)[]): Promise<string> {
  const { code, output } = await kubectl(args, ...input);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${output}`);
  return output;
}

async function fails(args: string[], ...input: (object | string)[]): Promise<string> {
  const { code, output } = await kubectl(args, ...input);
  assert.notEqual(code, 0, `kubectl ${args.join(' ')} should have failed: ${output}`);
  return output;
}

async function read(...args: string[]): Promise<KubeObject> {
  return JSON.parse(await succeeds(['get', ...args, '-o', 'json'])) as KubeObject;
}

describe('the sandbox API and kubectl', { concurrency: 2 }, () => {
  test('the kubeconfig is for its owner only, and nobody gets in without the token', async () => {
    assert.equal((await stat(api.kubeconfigPath)).mode & 0o777, 0o600);
    const config = await readFile(api.kubeconfigPath, 'utf8');
    assert.match(config, /certificate-authority-data/);
    assert.match(await fails(['get', 'pods', '--token', 'wrong']), /must be logged in|Unauthorized/);
  });

  test('kinds appear with their columns, by short name and category', async () => {
    await succeeds(['create', '-f', '-'], pod('columns', { labels: { test: 'columns' } }));
    assert.match(
      await succeeds(['get', 'po', '-l', 'test=columns']),
      /NAME +READY +STATUS +RESTARTS +AGE\ncolumns +0\/1 +Pending/,
    );
    assert.match(await succeeds(['get', 'ns']), /default +Active/);
    await succeeds(['create', '-f', '-'], database('columns', {}));
    assert.match(await succeeds(['get', 'db', 'columns']), /NAME +SIZE +AVAILABLE\ncolumns +3/);
    await succeeds(['create', 'service', 'clusterip', 'columns', '--tcp=80:http']);
    assert.match(await succeeds(['get', 'svc', 'columns']), /ClusterIP +127\.90\.0\.\d+ +<none> +80\/TCP/);
  });

  test('explain teaches from the schema of a CRD', async () => {
    const taught = await succeeds(['explain', 'database.spec.pod']);
    assert.match(taught, /How the pods of the members look\./);
    assert.match(taught, /labels\s+<map\[string\]string>\s+Labels of every pod\./);
    assert.match(await succeeds(['explain', 'pod.spec.containers']), /imagePullPolicy/);
  });

  test('an apply that changes nothing writes nothing', async () => {
    const wanted = database('twice', { size: 3 });
    assert.match(await succeeds(['apply', '-f', '-'], wanted), /created/);
    const first = await read('db', 'twice');
    assert.match(await succeeds(['apply', '-f', '-'], wanted), /unchanged/);
    await succeeds(
      ['apply', '--server-side', '--field-manager=me', '-f', '-'],
      database('twice-ssa', { size: 3 }),
    );
    const applied = await read('db', 'twice-ssa');
    await succeeds(
      ['apply', '--server-side', '--field-manager=me', '-f', '-'],
      database('twice-ssa', { size: 3 }),
    );
    assert.equal((await read('db', 'twice')).metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal((await read('db', 'twice-ssa')).metadata.resourceVersion, applied.metadata.resourceVersion);
  });

  test('a field that is no longer applied goes, whichever way it was applied', async () => {
    const before = { version: '3.2.13', pod: { labels: { a: '1', b: '2' } } };
    const now = { pod: { labels: { b: '2' } } };
    for (const [name, ...flags] of [['removed'], ['removed-ssa', '--server-side']] as const) {
      await succeeds(['apply', ...flags, '-f', '-'], database(name, before));
      await succeeds(['apply', ...flags, '-f', '-'], database(name, now));
      assert.deepEqual((await read('db', name))['spec'], { size: 3, ...now });
    }
  });

  test('what another manager owns is a conflict, unless forced', async () => {
    await succeeds(
      ['apply', '--server-side', '--field-manager=one', '-f', '-'],
      database('owned', { size: 3 }),
    );
    const other = ['apply', '--server-side', '--field-manager=two', '-f', '-'];
    assert.match(await fails(other, database('owned', { size: 5 })), /conflict with "one": \.spec\.size/);
    await succeeds([...other, '--force-conflicts'], database('owned', { size: 5 }));
    assert.deepEqual((await read('db', 'owned'))['spec'], { size: 5 });
    await succeeds(['scale', 'db', 'owned', '--replicas=4']);
    assert.match(
      await fails(other, database('owned', { size: 5 })),
      /conflict with "kubectl".*\.spec\.size/s,
    );
  });

  test('a write on an old version is a conflict', async () => {
    await succeeds(['create', '-f', '-'], database('stale', { size: 3 }));
    const stale = await read('db', 'stale');
    await succeeds(['patch', 'db', 'stale', '--type=merge', '-p', '{"spec":{"size":5}}']);
    assert.match(
      await fails(['replace', '-f', '-'], stale),
      /the object has been modified; please apply your changes/,
    );
    assert.deepEqual((await read('db', 'stale'))['spec'], { size: 5 });
  });

  test('bad input is refused with the name of the field', async () => {
    const create = ['create', '-f', '-'];
    assert.match(
      await fails(create, database('bad', { foo: 1 })),
      /strict decoding error: unknown field "spec\.foo"/,
    );
    const containers = [{ name: 'a', image: 'b', commando: ['x'] }];
    assert.match(
      await fails(create, { ...pod('bad'), spec: { containers } }),
      /unknown field "spec\.containers\[0\]\.commando"/,
    );
    assert.match(
      await fails(create, database('bad', { size: 0 })),
      /The Database "bad" is invalid: spec\.size: Invalid value: 0: spec\.size in body should be greater than or equal to 1/,
    );
    assert.match(
      await fails(create, database('bad', { version: 'new' })),
      /spec\.version in body should match/,
    );
    assert.match(await fails(create, database('Bad', {})), /metadata\.name: Invalid value: "Bad"/);
    assert.match(
      await fails(create, { ...pod('bad'), spec: { containers: [] } }),
      /spec\.containers: Required value/,
    );
    assert.match(await fails(['get', 'db', 'bad']), /databases\.test\.quorate\.io "bad" not found/);
    await succeeds(['create', '--dry-run=server', '-f', '-'], database('bad', {}));
    await fails(['get', 'db', 'bad']);
  });

  test('status and spec are written apart, and each counts for what it is', async () => {
    await succeeds(['create', '-f', '-'], {
      ...database('parts', { size: 3 }),
      status: { phase: 'Made up' },
    });
    const both = JSON.stringify({
      spec: { size: 7 },
      status: { conditions: [{ type: 'Available', status: 'True' }] },
    });
    const waiting = succeeds(['wait', '--for=condition=Available', 'db/parts', '--timeout=30s']);
    await succeeds(['patch', 'db', 'parts', '--type=merge', '--subresource=status', '-p', both]);
    await waiting;
    const { spec, status, metadata } = await read('db', 'parts');
    assert.deepEqual(spec, { size: 3 });
    assert.deepEqual(status, { conditions: [{ type: 'Available', status: 'True' }] });
    assert.equal(metadata.generation, 1);
    assert.match(await succeeds(['get', 'db', 'parts']), /parts +3 +True/);
  });

  test('a deleted owner takes its dependents along, waits for them, or leaves them', async () => {
    for (const policy of ['background', 'foreground', 'orphan']) {
      await succeeds(['create', '-f', '-'], database(policy, {}));
      const { uid } = (await read('db', policy)).metadata;
      const owner = {
        apiVersion: 'test.quorate.io/v1',
        kind: 'Database',
        name: policy,
        uid,
        blockOwnerDeletion: true,
      };
      await succeeds(['create', '-f', '-'], configMap(policy, { ownerReferences: [owner] }));
      await succeeds(['delete', 'db', policy, `--cascade=${policy}`]);
      if (policy === 'orphan')
        assert.deepEqual((await read('cm', policy)).metadata.ownerReferences ?? [], []);
      else await fails(['get', 'cm', policy]);
    }
  });

  test('a watch shows what comes, changes and goes', async () => {
    const watching = start([
      'get',
      'pods',
      '-l',
      'test=watch',
      '-w',
      '--output-watch-events',
      '--no-headers',
    ]);
    let seen = '';
    watching.stdout?.on('data', (data) => (seen += data));
    await succeeds(['create', '-f', '-'], pod('watched', { labels: { test: 'watch' } }));
    await until('the pod is seen', () => /ADDED +watched/.test(seen));
    await succeeds(['label', 'pod', 'watched', 'more=yes']);
    await until('the change is seen', () => /MODIFIED +watched/.test(seen));
    await succeeds(['label', '--overwrite', 'pod', 'watched', 'test=other']);
    await until('leaving the selection is seen', () => /DELETED +watched/.test(seen));
    watching.kill();
  });

  test('labels and fields select', async () => {
    await succeeds(
      ['create', '-f', '-'],
      pod('select-a', { labels: { s: 'a' } }),
      pod('select-b', { labels: { s: 'b' } }),
    );
    const names = async (...args: string[]): Promise<string[]> =>
      (await succeeds(['get', 'pods', '-o', 'name', ...args])).trim().split('\n').sort();
    assert.deepEqual(await names('-l', 's in (a,b)'), ['pod/select-a', 'pod/select-b']);
    assert.deepEqual(await names('-l', 's,s!=a'), ['pod/select-b']);
    assert.deepEqual(await names('--field-selector', 'metadata.name=select-a'), ['pod/select-a']);
    assert.deepEqual(await names('-l', 's', '--chunk-size=1'), ['pod/select-a', 'pod/select-b']);
  });

  test('a namespace goes with its content', async () => {
    await succeeds(['create', 'namespace', 'passing']);
    await succeeds(['create', 'secret', 'generic', 'word', '--from-literal=a=b', '-n', 'passing']);
    await succeeds(['delete', 'namespace', 'passing', '--timeout=30s']);
    await fails(['get', 'namespace', 'passing']);
    assert.deepEqual(store.list(resourceTypes.secret, 'passing'), []);
  });

  test('a claim waits for the pod that uses it', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'used' }, spec };
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'used' } }];
    const user = pod('user');
    await succeeds(['create', '-f', '-'], claim, { ...user, spec: { ...user.spec, volumes } });
    await succeeds(['delete', 'pvc', 'used', '--wait=false']);
    assert.match(await succeeds(['get', 'pvc', 'used']), /used +Terminating/);
    await succeeds(['delete', 'pod', 'user']);
    await fails(['get', 'pvc', 'used']);
  });

  test('logs and exec reach the node', async () => {
    await succeeds(['create', '-f', '-'], pod('node'));
    assert.equal(await succeeds(['logs', 'node']), 'first\nsecond\n');
    const { code, output } = await kubectl(['exec', '-i', 'node', '--', 'say', 'it'], 'and this');
    assert.equal(code, 3);
    assert.match(output, /say it\nand this/);
    assert.match(output, /a complaint/);
    assert.match(await fails(['logs', 'node', '-c', 'none']), /container none is not valid for pod node/);
  });

  test('a watch from a past that is not kept is told so, and bookmarks carry the version on', async () => {
    const events = async (query: string): Promise<KubeObject[]> => {
      const lines = await succeeds(['get', '--raw', `/api/v1/nodes?watch=1&timeoutSeconds=1${query}`]);
      return lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as KubeObject);
    };
    const [expired] = await events('&resourceVersion=1000000');
    assert.ok(expired);
    assert.deepEqual([expired['type'], (expired['object'] as { code?: number }).code], ['ERROR', 410]);
    const listed = await events(
      '&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
    );
    const [first] = listed.map((event) => event['object'] as KubeObject);
    assert.ok(first && listed.every((event) => event['type'] === 'BOOKMARK'));
    assert.equal(first.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
  });

  test('faults happen as often as asked for', async () => {
    const [create, list] = [
      ['create', '-n', 'kube-system', '-f', '-'],
      ['get', 'cm', '-n', 'kube-system', '-l', 'test=faults', '-o', 'name'],
    ];
    const namespace = 'kube-system';
    const setFaults = (rules: object[]) =>
      succeeds(['replace', '--raw', '/sandbox/faults', '-f', '-'], rules);
    await succeeds(create, configMap('there', { labels: { test: 'faults' } }));
    await setFaults([
      { verb: 'create', namespace, resource: 'configmaps', nth: 2, times: 1, status: 503 },
      { verb: 'list', namespace, resource: 'configmaps', staleList: true },
    ]);
    await succeeds(create, configMap('not-yet', { labels: { test: 'faults' } }));
    assert.match(await fails(create, configMap('refused', {})), /a fault was asked for/);
    assert.equal(await succeeds(list), 'configmap/there\n');
    await setFaults([]);
    assert.match(await succeeds(list), /not-yet/);
    assert.match(await fails(['replace', '--raw', '/sandbox/faults', '-f', '-'], [{ verbs: 'x' }]), /verbs/);
  });
});
