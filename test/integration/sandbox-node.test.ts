import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject, resourceTypes } from '../../libs/kube/object.ts';
import { startClaims } from '../../libs/sandbox/controllers/claims.ts';
import { startEndpoints } from '../../libs/sandbox/controllers/endpoints.ts';
import { createStore } from '../../libs/sandbox/memory.ts';
import { SandboxNode } from '../../libs/sandbox/node/node.ts';
import { type ContainerStatus, type PodStatus, podStatusOf } from '../../libs/sandbox/node/spec.ts';
import type { Store, StoreChange } from '../../libs/sandbox/store.ts';
import { createLog } from '../../libs/service/log.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-node-'));
let store: Store;
let node: SandboxNode;
/** All that ever happened. */
const changes: StoreChange[] = [];

before(async () => {
  store = createStore();
  store.watch((change) => changes.push(change));
  startClaims(store);
  startEndpoints(store);
  node = await SandboxNode.start({ store, folder, log: createLog('test') });
});

after(async () => {
  await node.close();
  rmSync(folder, { recursive: true, force: true });
});

async function eventually<Value>(
  what: string,
  read: () => Value | undefined,
  withinMs = 20_000,
): Promise<Value> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const value = read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await sleep(5);
  }
}

function pod(name: string, container: object, spec: object = {}, metadata: object = {}): KubeObject {
  return store.create(resourceTypes.pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name, ...metadata },
    spec: { containers: [{ name: 'main', image: 'busybox', ...container }], ...spec },
  });
}

function statusOf(name: string): PodStatus {
  const found = store.get(resourceTypes.pod, 'default', name);
  return found ? podStatusOf(found) : {};
}

function main(name: string): ContainerStatus | undefined {
  return statusOf(name).containerStatuses?.[0];
}

/** The states of a pod's container in which it waited to be started again after it had failed. */
const pausesOf = (name: string): ContainerStatus[] =>
  changes
    .filter(({ object }) => object.kind === 'Pod' && object.metadata.name === name)
    .flatMap(({ object }) => podStatusOf(object).containerStatuses ?? [])
    .filter(({ state }) => state.waiting?.reason === 'CrashLoopBackOff');

const isReady = (name: string) => () => main(name)?.ready === true || undefined;
const isGone = (name: string) => () =>
  store.get(resourceTypes.pod, 'default', name) === undefined || undefined;

async function logOf(name: string, previous = false): Promise<string> {
  const found = store.get(resourceTypes.pod, 'default', name);
  assert.ok(found);
  const options = { follow: false, previous, timestamps: false, signal: AbortSignal.timeout(5_000) };
  return (await (await node.runtime.logs(found, 'main', options)).toArray()).join('');
}

/** Waits for a text in the log: the one proof that a program has come so far. */
async function logContains(name: string, text: string): Promise<void> {
  const found = store.get(resourceTypes.pod, 'default', name);
  assert.ok(found);
  const options = { follow: true, previous: false, timestamps: false, signal: AbortSignal.timeout(10_000) };
  for await (const chunk of await node.runtime.logs(found, 'main', options)) {
    if (String(chunk).includes(text)) return;
  }
  assert.fail(`the log of ${name} never contained ${text}`);
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

test('a pod runs to its end, and its log is read', async () => {
  pod(
    'hello',
    { command: ['sh', '-c', 'echo hello from $POD; exit 3'], env: [{ name: 'POD', value: 'p' }] },
    { restartPolicy: 'Never' },
  );
  await eventually('failed', () => statusOf('hello').phase === 'Failed' || undefined);
  assert.equal(await logOf('hello'), 'hello from p\n');
  assert.equal(main('hello')?.state.terminated?.exitCode, 3);
  store.delete(resourceTypes.pod, 'default', 'hello');
});

test('env knows the pod, refers to objects and expands', async () => {
  store.create(resourceTypes.secret, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'default', name: 'key' },
    data: { token: Buffer.from('abc').toString('base64') },
  });
  const env = [
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'key', key: 'token' } } },
    { name: 'URL', value: 'http://$(IP):80/$(TOKEN)/$$(IP)' },
  ];
  pod(
    'env',
    { command: ['sh', '-c'], args: ['echo $0 "$URL"; hostname', '$(TOKEN)'], env },
    { restartPolicy: 'Never' },
  );
  await eventually('succeeded', () => statusOf('env').phase === 'Succeeded' || undefined);
  assert.equal(await logOf('env'), `abc http://${statusOf('env').podIP}:80/abc/$(IP)\nenv\n`);
  store.delete(resourceTypes.pod, 'default', 'env');
});

test('init containers run first, volumes carry what they wrote', async () => {
  const mount = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
  pod(
    'init',
    { command: ['cat', '/shared/a', '/shared/b'], ...mount },
    {
      restartPolicy: 'Never',
      volumes: [{ name: 'shared', emptyDir: {} }],
      initContainers: [
        { name: 'a', image: 'busybox', command: ['sh', '-c', 'sleep 0.1; echo a > /shared/a'], ...mount },
        { name: 'b', image: 'busybox', command: ['sh', '-c', 'cat /shared/a > /shared/b'], ...mount },
      ],
    },
  );
  await eventually('succeeded', () => statusOf('init').phase === 'Succeeded' || undefined);
  assert.equal(await logOf('init'), 'a\na\n');
  store.delete(resourceTypes.pod, 'default', 'init');
});

test('a container that ends is started again, at once and then after a pause', async () => {
  pod('crash', { command: ['sh', '-c', 'echo run; exit 7'] });
  const pause = await eventually('back-off', () => pausesOf('crash')[0]);
  assert.equal(pause.restartCount, 1);
  assert.equal(pause.lastState.terminated?.exitCode, 7);
  await eventually('third run', () => (main('crash')?.restartCount ?? 0) >= 2 || undefined);
  assert.equal(await logOf('crash', true), 'run\n');
  store.delete(resourceTypes.pod, 'default', 'crash');
  await eventually('gone', isGone('crash'));
});

test('a command that does not exist says so', async () => {
  pod('missing', { command: ['no-such-program'] }, { restartPolicy: 'Never' });
  const terminated = await eventually('terminated', () => main('missing')?.state.terminated);
  assert.equal(terminated.reason, 'StartError');
  assert.match(terminated.message ?? '', /no-such-program/);
  pod('unknown', { image: 'docker.io/library/unknown:1' });
  const waiting = await eventually('waiting', () => {
    const state = main('unknown')?.state.waiting;
    return state?.reason === 'ImagePullBackOff' ? state : undefined;
  });
  assert.match(waiting.message ?? '', /pulls no images/);
  for (const name of ['missing', 'unknown']) store.delete(resourceTypes.pod, 'default', name);
});

test('a pod is asked to end, and made to when its grace is over', async () => {
  const polite = "trap 'exit 0' TERM; echo on; while :; do sleep 0.02; done";
  pod('polite', { command: ['sh', '-c', polite] }, { terminationGracePeriodSeconds: 30 });
  pod(
    'deaf',
    { command: ['sh', '-c', 'echo on; sleep 100 & sleep 1000'] },
    { terminationGracePeriodSeconds: 2 },
  );
  for (const name of ['polite', 'deaf']) {
    await eventually(`${name} ready`, isReady(name));
    await logContains(name, 'on');
  }
  const pid = Number(main('deaf')?.containerID?.split('//')[1]);
  assert.ok(isAlive(pid));
  const startMs = performance.now();
  for (const name of ['polite', 'deaf']) store.delete(resourceTypes.pod, 'default', name);
  for (const name of ['polite', 'deaf']) await eventually(`${name} gone`, isGone(name));
  assert.ok(performance.now() - startMs >= 2_000, 'the deaf one had its grace');
  const gone = changes
    .filter(({ type, object }) => type === 'DELETED' && /^(polite|deaf)$/.test(object.metadata.name))
    .map(({ object }) => object.metadata.name);
  assert.deepEqual(gone, ['polite', 'deaf'], 'the polite one did not even wait for the grace of the other');
  assert.ok(!isAlive(pid));
});

const etcdContainer = (size: number) => ({
  image: 'quay.io/coreos/etcd:v3.2.13',
  env: [
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'ETCDCTL_ENDPOINTS', value: 'http://$(POD_IP):2379' },
  ],
  command: [
    'etcd',
    '--name=$(POD_NAME)',
    '--listen-peer-urls=http://$(POD_IP):2380',
    '--listen-client-urls=http://$(POD_IP):2379',
    '--advertise-client-urls=http://$(POD_NAME).db.$(POD_NAMESPACE).svc:2379',
    '--initial-advertise-peer-urls=http://$(POD_NAME).db.$(POD_NAMESPACE).svc:2380',
    `--initial-cluster=${Array.from({ length: size }, (_, i) => `db-${i + 1}=http://db-${i + 1}.db.default.svc:2380`).join(',')}`,
    '--initial-cluster-state=new',
    '--initial-cluster-token=t',
    '--data-dir=/var/etcd/data',
  ],
  ports: [{ name: 'client', containerPort: 2379 }],
  readinessProbe: { httpGet: { path: '/health', port: 'client' }, periodSeconds: 1, failureThreshold: 3 },
  volumeMounts: [{ name: 'data', mountPath: '/var/etcd' }],
});

const memberSpec = (name: string) => ({
  hostname: name,
  subdomain: 'db',
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
});

const members = ['db-1', 'db-2', 'db-3'];

async function run(podName: string, command: string[]): Promise<{ code: number; output: string }> {
  const found = store.get(resourceTypes.pod, 'default', podName);
  assert.ok(found);
  const session = await node.runtime.exec(found, 'main', command, { stdin: false, tty: false });
  const output = (await Promise.all([session.stdout.toArray(), session.stderr.toArray()])).flat().join('');
  return { code: await session.exit, output };
}

/** Runs a command until it ends with `code`, as what it looks at takes its moment to come true. */
async function eventuallyExec(podName: string, command: string[], code: number) {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const answer = await run(podName, command);
    if (answer.code === code || performance.now() > endMs) return answer;
    await sleep(20);
  }
}

test('three etcd members find each other by name', async (t) => {
  const selector = { app: 'db' };
  store.create(resourceTypes.service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'db' },
    spec: { clusterIP: 'None', selector, publishNotReadyAddresses: true },
  });
  for (const name of members) {
    store.create(resourceTypes.claim, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace: 'default', name, finalizers: ['kubernetes.io/pvc-protection'] },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
  }
  const startMs = performance.now();
  for (const name of members) pod(name, etcdContainer(3), memberSpec(name), { labels: selector });
  for (const name of members) await eventually(`${name} running`, () => main(name)?.state.running);
  t.diagnostic(`all running after ${Math.round(performance.now() - startMs)} ms`);
  for (const name of members) await eventually(`${name} ready`, isReady(name));
  t.diagnostic(`all ready after ${Math.round(performance.now() - startMs)} ms`);
  // A busy machine may make them elect anew at any time.
  const { code, output } = await eventuallyExec('db-1', ['etcdctl', 'member', 'list'], 0);
  assert.equal(code, 0, output);
  assert.equal(output.trim().split('\n').length, 3, output);
  assert.match(
    store.get(resourceTypes.pod, 'default', 'db-1')?.metadata.annotations?.['sandbox.quorate.io/runs'] ?? '',
    /^etcd \d/,
  );
  assert.equal((await eventuallyExec('db-2', ['etcdctl', 'put', 'a', 'b'], 0)).code, 0);
});

test('a member that is deleted and comes back with its claim has its data', async (t) => {
  const startMs = performance.now();
  store.delete(resourceTypes.pod, 'default', 'db-2');
  await eventually('gone', isGone('db-2'));
  t.diagnostic(`gone after ${Math.round(performance.now() - startMs)} ms`);
  const before = statusOf('db-1').podIP;
  pod('db-2', etcdContainer(3), memberSpec('db-2'), { labels: { app: 'db' } });
  await eventually('ready again', isReady('db-2'));
  assert.notEqual(statusOf('db-2').podIP, before);
  const { output } = await eventuallyExec('db-2', ['etcdctl', 'get', 'a', '--consistency=s'], 0);
  assert.equal(output, 'a\nb\n');
});

test('a name that appears resolves at once in pods that run already', async () => {
  pod(
    'late',
    { command: ['sleep', '100'] },
    { ...memberSpec('late'), volumes: [] },
    { labels: { app: 'db' } },
  );
  const address = await eventually('address', () => statusOf('late').podIP);
  const { output } = await run('db-1', ['getent', 'ahostsv4', 'late.db.default.svc']);
  assert.match(output, new RegExp(`^${address} `));
  const all = await run('db-1', ['getent', 'ahostsv4', 'db']);
  for (const name of members) assert.ok(all.output.includes(`${statusOf(name).podIP} `), all.output);
  store.delete(resourceTypes.pod, 'default', 'late', { gracePeriodSeconds: 0 });
  assert.equal((await eventuallyExec('db-1', ['getent', 'hosts', 'late.db.default.svc'], 2)).output, '');
});

test('a service leads to its ready endpoints', async () => {
  const clusterIP = node.allocateClusterIp();
  const metadata = { namespace: 'default', name: 'db-client' };
  store.create(resourceTypes.service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP, selector: { app: 'db' }, ports: [{ name: 'client', port: 2379 }] },
  });
  const answered = new Set<string>();
  for (let attempt = 0; attempt < 20 && answered.size < members.length; attempt++) {
    const command = ['env', 'ETCDCTL_ENDPOINTS=http://db-client:2379', 'etcdctl', 'endpoint', 'status'];
    const { code, output } = await eventuallyExec('db-1', command, 0);
    assert.equal(code, 0, output);
    answered.add(output.split(', ')[1] ?? '');
  }
  assert.equal(answered.size, members.length, 'connections are spread over all members');
});

test('a killed process is started again in the same pod', async () => {
  const pid = Number(main('db-3')?.containerID?.split('//')[1]);
  process.kill(pid, 'SIGKILL');
  await eventually('restarted', () => main('db-3')?.restartCount === 1 || undefined);
  assert.equal(main('db-3')?.lastState.terminated?.exitCode, 137);
  await eventually('ready', isReady('db-3'));
});

test('another image restarts the container at once in the same pod, and asks it to end first', async () => {
  const script = "trap 'echo bye; exit 0' TERM; echo run; while :; do sleep 0.02; done";
  const { uid } = pod('renewed', { command: ['sh', '-c', script] }).metadata;
  await eventually('running', () => main('renewed')?.state.running);
  await logContains('renewed', 'run');
  const { podIP } = statusOf('renewed');
  const first = main('renewed')?.containerID;
  const change = (image: string) =>
    store.update(resourceTypes.pod, 'default', 'renewed', (object) => {
      const { containers } = object['spec'] as { containers: object[] };
      return {
        ...object,
        spec: { ...(object['spec'] as object), containers: [{ ...containers[0], image }] },
      };
    });
  change('busybox:2');
  await eventually('again', () => main('renewed')?.restartCount === 1 || undefined);
  const status = main('renewed');
  assert.deepEqual(
    [status?.image, status?.lastState.terminated?.exitCode, statusOf('renewed').podIP],
    ['busybox:2', 0, podIP],
  );
  assert.notEqual(status?.containerID, first);
  assert.match(await logOf('renewed', true), /bye/);
  await logContains('renewed', 'run');
  // A second change finds no back-off either: to the kubelet it is another container.
  change('busybox:3');
  await eventually('and again', () => main('renewed')?.restartCount === 2 || undefined);
  assert.deepEqual(pausesOf('renewed'), []);
  assert.equal(store.get(resourceTypes.pod, 'default', 'renewed')?.metadata.uid, uid);
  store.delete(resourceTypes.pod, 'default', 'renewed', { gracePeriodSeconds: 0 });
  await eventually('gone', isGone('renewed'));
});

test('a failing liveness probe restarts the container', async () => {
  const livenessProbe = {
    exec: { command: ['test', '-e', '/tmp/fine'] },
    periodSeconds: 1,
    failureThreshold: 1,
  };
  const script = "trap 'exit 0' TERM; touch /tmp/fine; while :; do sleep 0.02; done";
  pod('sick', { command: ['sh', '-c', script], livenessProbe: { ...livenessProbe, initialDelaySeconds: 1 } });
  await eventually('ready', isReady('sick'));
  await eventuallyExec('sick', ['rm', '/tmp/fine'], 0);
  await eventually('restarted', () => (main('sick')?.restartCount ?? 0) >= 1 || undefined);
  store.delete(resourceTypes.pod, 'default', 'sick');
  await eventually('gone', isGone('sick'));
});

test('a node that dies takes all processes, and comes back with all pods', async () => {
  const pids = members.map((name) => Number(main(name)?.containerID?.split('//')[1]));
  await node.die();
  assert.ok(!pids.some(isAlive));
  assert.equal(main('db-1')?.restartCount, 0, 'nobody was left to say so');
  node.revive();
  for (const name of members)
    await eventually(
      `${name} again`,
      () => (main(name)?.ready && (main(name)?.restartCount ?? 0) > 0) || undefined,
    );
  assert.equal((await eventuallyExec('db-1', ['etcdctl', 'get', 'a'], 0)).output, 'a\nb\n');
});

test('a claim stays as long as a pod uses it, and its folder goes with it', async () => {
  const claim = store.get(resourceTypes.claim, 'default', 'db-3');
  assert.ok(claim);
  const { volumeName } = claim['spec'] as { volumeName: string };
  const data = join(folder, 'volumes', volumeName);
  store.delete(resourceTypes.claim, 'default', 'db-3');
  assert.ok(existsSync(join(data, 'data')));
  assert.ok(store.get(resourceTypes.claim, 'default', 'db-3'));
  store.delete(resourceTypes.pod, 'default', 'db-3');
  await eventually('claim gone', () => !store.get(resourceTypes.claim, 'default', 'db-3') || undefined);
  assert.ok(!existsSync(data));
  assert.ok(node.emptyClaim('default', 'db-2'));
});

test('closing ends every process', async () => {
  const pids = ['db-1', 'db-2'].map((name) => Number(main(name)?.containerID?.split('//')[1]));
  assert.ok(pids.every(isAlive));
  await node.close();
  assert.ok(!pids.some(isAlive));
});
