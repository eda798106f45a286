import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../wait.ts';

const entry = join(import.meta.dirname, '../../libs/sandbox/main.ts');

interface Sandbox {
  process: ChildProcess;
  folder: string;
  kubectl(args: string[], input?: string): Promise<string>;
}

/** A sandbox in a process of its own, gone with its folder when the test ends. */
async function startSandbox(t: TestContext): Promise<Sandbox> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-sandbox-'));
  const child = spawn(process.execPath, [entry, '--dir', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line', {
    signal: AbortSignal.timeout(20_000),
  })) as [string];
  assert.equal(line, `KUBECONFIG=${join(folder, 'kubeconfig')}`);
  const kubectl = async (args: string[], input = '') => {
    const running = promisify(execFile)(process.env['KUBECTL'] ?? 'kubectl', args, {
      env: { ...process.env, KUBECONFIG: join(folder, 'kubeconfig') },
      timeout: 90_000,
    });
    running.child.stdin?.end(input);
    return (await running).stdout;
  };
  return { process: child, folder, kubectl };
}

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};

// It leaves a child of its own behind, which must not outlive it either.
const script = 'echo kept > /data/file; sleep 1000 & echo written; wait';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'writer' },
  spec: {
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: ['sh', '-c', script],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
  },
};

/** Applies the pod; answers the ids of its processes on this machine. */
async function runPod({ kubectl }: Sandbox): Promise<number[]> {
  await kubectl(['apply', '-f', '-'], [claim, pod].map((object) => JSON.stringify(object)).join('\n'));
  await kubectl(['wait', '--for=condition=Ready', 'pod/writer', '--timeout=60s']);
  const id = await kubectl([
    'get',
    'pod',
    'writer',
    '-o',
    'jsonpath={.status.containerStatuses[0].containerID}',
  ]);
  const main = Number(/^sandbox:\/\/(\d+)$/.exec(id)?.[1]);
  await until('the pod has begun', async () => (await kubectl(['logs', 'writer'])).includes('written'));
  const children = readFileSync(`/proc/${main}/task/${main}/children`, 'utf8');
  const pids = [main, ...children.trim().split(/\s+/).map(Number)];
  assert.ok(pids.length >= 2 && pids.every(isAlive));
  return pids;
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

test('a sandbox that is killed takes all its containers along', async (t) => {
  const sandbox = await startSandbox(t);
  const pids = await runPod(sandbox);
  sandbox.process.kill('SIGKILL');
  await until('all containers are gone', () => !pids.some(isAlive));
});

test('a sandbox that is stopped ends its containers and leaves the volumes', async (t) => {
  const sandbox = await startSandbox(t);
  const pids = await runPod(sandbox);
  const exited = once(sandbox.process, 'exit');
  sandbox.process.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.ok(!pids.some(isAlive));
  const [volume = ''] = readdirSync(join(sandbox.folder, 'volumes'));
  assert.ok(existsSync(join(sandbox.folder, 'volumes', volume, 'file')));
});

test('two sandboxes run side by side, and kubectl reaches into the containers', async (t) => {
  const sandboxes = await Promise.all([startSandbox(t), startSandbox(t)]);
  await Promise.all(sandboxes.map(runPod));
  const addresses = await Promise.all(
    sandboxes.map(({ kubectl }) => kubectl(['get', 'pod', 'writer', '-o', 'jsonpath={.status.podIP}'])),
  );
  assert.notEqual(addresses[0], addresses[1]);
  for (const { kubectl } of sandboxes) {
    assert.equal(await kubectl(['exec', 'writer', '--', 'cat', '/data/file']), 'kept\n');
    await assert.rejects(kubectl(['exec', 'writer', '--', 'sh', '-c', 'exit 3']), { code: 3 });
  }
});

test('the node and its disks break on demand', async (t) => {
  const sandbox = await startSandbox(t);
  const { kubectl } = sandbox;
  const post = (path: string) => kubectl(['create', '--raw', `/sandbox/${path}`, '-f', '/dev/null']);
  const waitForNode = (ready: string) =>
    kubectl(['wait', `--for=condition=Ready=${ready}`, 'node', '--all', '--timeout=60s']);
  const pids = await runPod(sandbox);

  await post('claims/default/data/empty');
  await assert.rejects(kubectl(['exec', 'writer', '--', 'cat', '/data/file']), /No such file/);
  await assert.rejects(post('claims/default/none/empty'), /"none" not found/);

  await post('node/die');
  assert.ok(!pids.some(isAlive));
  await waitForNode('Unknown');

  await post('node/revive');
  await waitForNode('True');
  await kubectl(['wait', '--for=condition=Ready', 'pod/writer', '--timeout=60s']);
  const content = () => kubectl(['exec', 'writer', '--', 'cat', '/data/file']).catch(() => '');
  await until('the pod has written again', async () => (await content()) === 'kept\n');
  const address = () => kubectl(['get', 'pod', 'writer', '-o', 'jsonpath={.status.podIP}']);
  const before = await address();
  await post('node/revive');
  assert.equal(await address(), before, 'a node that lives is left alone');

  await assert.rejects(post('node/explode'), /the server could not find the requested resource/);
});

test('wrong arguments are named', async () => {
  const running = promisify(execFile)(process.execPath, [entry, '--dir', '/tmp/x', '--image', 'etcd']);
  await assert.rejects(running, (error: { code: number; stderr: string }) => {
    assert.equal(error.code, 1);
    assert.match(error.stderr, /CONFIG_INVALID.*--image etcd/);
    return true;
  });
});
