import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, lstatSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { services } from '../../deploy/image/app.ts';
import { user } from '../../deploy/image/system.ts';
import { reply, startScriptedApi, testToken } from '../kube-api.ts';
import { startNats, startRedis } from '../servers.ts';
import { createServiceAccount, type ServiceAccount, serviceAccountPath } from '../service-account.ts';
import { startService } from '../service-process.ts';
import { until } from '../wait.ts';

/** The root file system of the image, as `npm run image` and the Dockerfile make it, run as a container runs it. */
const dir = mkdtempSync(join(tmpdir(), 'quorate-image-'));
const root = join(dir, 'root');

before(() => {
  execFileSync(process.execPath, ['deploy/image/rootfs.ts', root], { stdio: ['ignore', 'ignore', 'pipe'] });
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** The command in the image: its files and no others, read-only, as its own user, with the account of a pod. */
function contained(command: string[], account: ServiceAccount): string[] {
  const id = String(user.id);
  return [
    ...[process.env['BWRAP'] ?? 'bwrap', '--ro-bind', root, '/', '--dev', '/dev', '--proc', '/proc'],
    ...['--unshare-user', '--uid', id, '--gid', id, '--die-with-parent'],
    ...['--tmpfs', '/var', '--ro-bind', account.dir, serviceAccountPath, '--remount-ro', '/var'],
    ...command,
  ];
}

/** Everything the API is asked for is there and empty, for whoever has the token that it takes just now. */
async function startEmptyApi(t: TestContext) {
  const tokens = { accepted: testToken, seen: new Set<string>() };
  const api = await startScriptedApi(({ headers }, response) => {
    const token = headers.authorization?.replace('Bearer ', '') ?? '';
    if (token !== tokens.accepted) return reply(response, 401, { kind: 'Status', code: 401 });
    tokens.seen.add(token);
    reply(response, 200, { metadata: { resourceVersion: '1' }, items: [], versions: [] });
  });
  t.after(() => api.stop());
  return { api, tokens };
}

/** What the services told of their metrics. */
const told = new Map<string, { help: string; by: string[] }>();

for (const name of services) {
  test(`${name}: runs read-only, without rights, with the account of its pod, and stops in order`, async (t) => {
    const [{ api, tokens }, nats, redis] = await Promise.all([startEmptyApi(t), startNats(), startRedis()]);
    t.after(() => Promise.all([nats.stop(), redis.stop()]));
    const account = createServiceAccount(api);
    t.after(account.remove);
    const service = startService(t, contained(['node', `/app/services/${name}/main.ts`], account), {
      ...account.environment,
      PATH: '/usr/local/bin:/usr/bin',
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
    });
    const isReady = async () => (await service.get('/readyz'))?.status === 200;
    await until('it is ready', isReady);
    const metrics = (await service.get('/metrics'))?.text ?? '';
    assert.match(metrics, /^process_cpu_seconds_total/m);
    for (const [, metric = '', help = ''] of metrics.matchAll(/^# HELP (quorate_\S+) (.*)$/gm)) {
      told.set(metric, { help, by: [...(told.get(metric)?.by ?? []), name] });
    }

    const next = 'the next token';
    account.renew(next);
    tokens.accepted = next;
    await until('it has taken the next token', async () => (await isReady()) && tokens.seen.size === 2);
    assert.deepEqual(
      service.log().filter(({ level }) => level !== 'info'),
      [],
    );
    assert.equal(await service.stop(), 0);
  });
}

test('docs/metrics.md has the metrics that there are', () => {
  const rows = [...told]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([metric, { help, by }]) => {
      const of = by.length === services.length ? 'every service' : by.join(', ');
      return `| \`${metric}\` | ${of} | ${help} |`;
    });
  const documented = readFileSync('docs/metrics.md', 'utf8').split('\n');
  assert.deepEqual(
    documented.filter((line) => line.startsWith('| `quorate_')),
    rows,
  );
});

test('holds no tool to change it or to look around with, and nothing that only development needs', () => {
  const files = globSync('**/*', { cwd: root, exclude: ['app/node_modules/**'] });
  assert.deepEqual(
    files.filter((path) => /(^|\/)(sh|bash|npm|npx|apt|dpkg|curl)$|\.test\.ts$|sandbox/.test(path)),
    ['var/lib/dpkg'],
    'the folder of that name says which versions are inside',
  );
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const packages = globSync(['*', '@*/*'], { cwd: join(root, 'app/node_modules') });
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => !packages.includes(name)),
    [],
  );
  assert.deepEqual(
    packages.filter((name) => /^(node|typescript|fast-check|@types|@biomejs|@aws-cdk)$/.test(name)),
    [],
  );
});

test('is under 200 MB beyond Node', () => {
  const sizes = globSync('**/*', { cwd: root }).map((path) => lstatSync(join(root, path)).size);
  const node = lstatSync(join(root, 'usr/local/bin/node')).size;
  const bytes = sizes.reduce((sum, size) => sum + size, 0) - node;
  assert.ok(bytes < 200e6, `${Math.round(bytes / 1e6)} MB`);
});

test('Docker builds it with the same Node', () => {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
  assert.equal(/library\/node:([\d.]+)-/.exec(dockerfile)?.[1], devDependencies.node);
  assert.match(dockerfile, new RegExp(`^USER ${user.id}:${user.id}$`, 'm'));
  assert.equal(`v${devDependencies.node}`, process.version, 'tests run with the same');
});
