import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { descendantsOf, stillRunning } from '../processes.ts';
import { startRedis } from '../servers.ts';
import { until } from '../wait.ts';

const main = join(import.meta.dirname, '../../services/cli/main.ts');

/** The command line of Quorate as a user's shell would run it, without what this shell may have set. */
function quorate(t: TestContext, parameters: string[], environment: Record<string, string | undefined> = {}) {
  const base = { ...process.env, KUBECONFIG: undefined, NATS_URL: undefined, REDIS_URL: undefined };
  const child = spawn(process.execPath, [main, ...parameters], {
    env: { ...base, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const run = { child, output: '', exited: once(child, 'close').then(([code]) => code as number | null) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      run.output += chunk.toString();
    });
  }
  return run;
}

type Run = ReturnType<typeof quorate>;

const pidOf = ({ pid }: ChildProcess): number => pid ?? assert.fail('it did not start');

async function said(run: Run, pattern: RegExp): Promise<RegExpMatchArray> {
  await until(`it says ${pattern}`, () => pattern.test(run.output) || run.child.exitCode !== null, 60_000);
  return run.output.match(pattern) ?? assert.fail(`it ended without saying ${pattern}:\n${run.output}`);
}

function freshFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-up-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('up brings the example to Available, refuses a second run, mends what dies and leaves nothing behind', async (t) => {
  const dir = freshFolder(t);
  const run = quorate(t, ['up', '--example', '--dir', dir]);
  const [, kubeconfig] = await said(run, /^KUBECONFIG=(\/.+)$/m);
  assert.ok(kubeconfig?.startsWith(dir));
  await said(run, /etcd\/default\/example-etcd-cluster: Available, 3 of 3 members ready/);
  await said(run, /Running until Ctrl-C/);
  assert.ok(run.output.includes(`export KUBECONFIG=${kubeconfig}`));

  const second = quorate(t, ['up', '--dir', dir]);
  assert.equal(await second.exited, 1);
  assert.match(second.output, new RegExp(`runs in this folder already: process ${run.child.pid} `));

  // On a busy machine the members may just elect anew, or NATS be late with what the last pass found, which it says.
  await until('it tells the role of each member', async () => {
    const status = quorate(t, ['status', '--json', '--dir', dir]);
    assert.equal(await status.exited, 0);
    const [cluster] = JSON.parse(/^\[.*^\]$/ms.exec(status.output)?.[0] ?? '') as {
      key: string;
      members: { role: string; ready: boolean }[];
    }[];
    assert.equal(cluster?.key, 'etcd/default/example-etcd-cluster');
    return (
      cluster?.members
        .map(({ role }) => role)
        .sort()
        .join() === 'follower,follower,leader'
    );
  });

  const started = descendantsOf(pidOf(run.child));
  for (const program of [
    'nats-server',
    'redis-server',
    'sandbox',
    'watcher',
    'worker',
    'observer',
    'etcd ',
  ]) {
    assert.ok(
      started.some(({ command }) => command.includes(program)),
      `${program} is among what was started`,
    );
  }
  const nats =
    started.find(({ command }) => /nats-server --addr/.test(command)) ?? assert.fail('no nats-server');
  process.kill(nats.pid, 'SIGKILL');
  await said(run, /nats-server ended \(SIGKILL\); starting it again in [\d.]+ s/);
  await until('nats-server runs again', () =>
    descendantsOf(pidOf(run.child)).some(({ command }) => /nats-server --addr/.test(command)),
  );

  const running = descendantsOf(pidOf(run.child));
  run.child.kill('SIGINT');
  assert.equal(await run.exited, 0);
  assert.deepEqual(stillRunning(running), []);
  assert.match(run.output, /Everything that was started here is stopped\.\n$/);
  assert.equal(await quorate(t, ['status', '--dir', dir]).exited, 1);
});

test('after kill -9 everything it started ends by itself, what was given goes on, and the folder is free again', async (t) => {
  const dir = freshFolder(t);
  const redis = await startRedis();
  t.after(() => redis.stop());
  const run = quorate(t, ['up', '--example', '--dir', dir], { REDIS_URL: redis.url });
  await said(run, /Available, 3 of 3 members ready/);
  assert.match(run.output, new RegExp(`Redis: ${redis.url} \\(given\\)`));
  const started = descendantsOf(pidOf(run.child));
  assert.ok(!started.some(({ command }) => command.includes('redis-server')));

  run.child.kill('SIGKILL');
  await until('all of it has ended', () => stillRunning(started).length === 0);
  process.kill(redis.pid, 0);

  const next = quorate(t, ['up', '--dir', dir]);
  await said(next, /Running until Ctrl-C/);
  next.child.kill('SIGTERM');
  assert.equal(await next.exited, 0);
});

test('asked to stop in the middle of the start, it stops what it has started by then', async (t) => {
  const dir = freshFolder(t);
  const run = quorate(t, ['up', '--dir', dir]);
  await until('something runs', () =>
    descendantsOf(pidOf(run.child)).some(({ command }) => /nats/.test(command)),
  );
  const started = descendantsOf(pidOf(run.child));
  run.child.kill('SIGINT');
  assert.equal(await run.exited, 0);
  assert.deepEqual(stillRunning(started), []);
});

test('what is missing is told in one list, with the packages and the variables', async (t) => {
  const dir = freshFolder(t);
  const nowhere = { PATH: dir, ETCD: undefined, ETCDCTL: undefined, BWRAP: undefined };
  const run = quorate(t, ['up', '--no-install', '--dir', join(dir, 'run')], nowhere);
  assert.equal(await run.exited, 1);
  assert.match(run.output, /etcd +Debian package etcd-server, or its path in ETCD\n/);
  assert.match(run.output, /bwrap +Debian package bubblewrap, or its path in BWRAP\n/);
  assert.match(run.output, /All at once: sudo apt-get install .*etcd-server etcd-client bubblewrap\n/);
});

test('a file that the API refuses ends it with what kubectl says, and nothing is left running', async (t) => {
  const dir = freshFolder(t);
  const file = join(dir, 'missing.yaml');
  const run = quorate(t, ['up', '--file', file, '--dir', join(dir, 'run')]);
  await said(run, /^KUBECONFIG=/m);
  const started = descendantsOf(pidOf(run.child));
  assert.equal(await run.exited, 1);
  assert.deepEqual(stillRunning(started), []);
  assert.match(run.output, /kubectl did not apply the file: .*missing\.yaml/);
});

test('wrong usage exits with 2 and says what is wrong', async (t) => {
  for (const [parameters, answer] of [
    [['up', '--workers', 'none'], /--workers <n>.*Use a number/],
    [['status', 'no-key'], /"no-key" is no key/],
    [['destroy'], /unknown command 'destroy'/],
  ] as const) {
    const run = quorate(t, [...parameters]);
    assert.equal(await run.exited, 2);
    assert.match(run.output, answer);
  }
});
