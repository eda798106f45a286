import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectBus } from '../../libs/bus/bus.ts';
import { decisionFilter } from '../../libs/bus/subjects.ts';
import { connectKube, type WatchableKube } from '../../libs/kube/client.ts';
import { apiVersionOf, type KubeObject, resourceTypes } from '../../libs/kube/object.ts';
import { registrationLabel } from '../../libs/kube/registered/registration.ts';
import { benchmarkType } from '../bench/load/engine/resource.ts';
import { endChild } from '../child.ts';
import { createTestLog } from '../log.ts';
import { startSandboxApi } from '../sandbox-api.ts';
import { startNats, startRedis } from '../servers.ts';
import { type ServiceProcess, startService } from '../service-process.ts';
import { until } from '../wait.ts';

/** Where the Secrets are; the clusters are in another. */
const quorate = 'quorate-system';
const namespace = 'default';
const { secret: secretType, event: eventType } = resourceTypes;

/** A Kubernetes API as a process of its own. */
interface Api {
  process: ChildProcess;
  kube: WatchableKube;
  kubeconfig: string;
}

async function startApi(t: TestContext, id: string): Promise<Api> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-kubes-'));
  const child = fork('test/sandbox-api-process.ts', [directory], { stdio: 'ignore' });
  t.after(async () => {
    await endChild(child, 'SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });
  const [kubeconfigPath] = await once(child, 'message');
  const kube = connectKube({ id, kubeconfigPath });
  t.after(() => kube.close());
  return { process: child, kube, kubeconfig: await readFile(kubeconfigPath, 'utf8') };
}

const registration = (name: string, id: string, kubeconfig: string | undefined): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: quorate, labels: { [registrationLabel]: id } },
  type: 'Opaque',
  data: kubeconfig === undefined ? {} : { kubeconfig: Buffer.from(kubeconfig).toString('base64') },
});

/** Sets the value of a cluster, which it makes where there is none, and waits until its status says that it is so. */
async function settles(kube: WatchableKube, name: string, value: string): Promise<number> {
  const wanted = {
    ...{ apiVersion: apiVersionOf(benchmarkType), kind: benchmarkType.kind },
    ...{ metadata: { name, namespace }, spec: { value } },
  };
  // As long as nobody looks after the kube, it has no such kind.
  await until(`${kube.id} takes ${name}`, () =>
    kube.apply(benchmarkType, wanted).then(
      () => true,
      () => false,
    ),
  );
  const appliedMs = performance.now();
  await until(`${name} in ${kube.id} is ${value}`, async () => {
    const cluster = await kube.get(benchmarkType, namespace, name);
    return (cluster?.['status'] as { value?: string } | undefined)?.value === value;
  });
  return performance.now() - appliedMs;
}

async function medianMs(measure: (round: number) => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 15; round++) times.push(await measure(round));
  return times.sort((a, b) => a - b)[7] ?? 0;
}

const isReady = async (service: ServiceProcess) => (await service.get('/readyz'))?.status === 200;

/** Waits until a service looks after these kubes and no others, and says of each whether its API answers. */
async function untilAnswers(service: ServiceProcess, wanted: Record<string, 0 | 1>): Promise<void> {
  const text = Object.entries(wanted)
    .map(([kube, value]) => `quorate_kube_answers{kube="${kube}"} ${value}`)
    .sort()
    .join('\n');
  await until(`it says ${text}`, async () => {
    const metrics = (await service.get('/metrics'))?.text ?? '';
    return (
      metrics
        .match(/^quorate_kube_answers\{.*$/gm)
        ?.sort()
        .join('\n') === text
    );
  });
}

test('three kubes: while one is frozen and one is gone, the one at home is served as ever, and both come back', async (t) => {
  const log = createTestLog();
  const directory = await mkdtemp(join(tmpdir(), 'quorate-kubes-'));
  const [nats, redis, api, frozen, gone] = await Promise.all([
    ...([startNats(), startRedis(), startSandboxApi(directory, log)] as const),
    ...([startApi(t, 'frozen'), startApi(t, 'gone')] as const),
  ]);
  const home = connectKube({ id: 'home', kubeconfigPath: api.kubeconfigPath });
  t.after(async () => {
    await home.close();
    await Promise.all([api.close(), nats.stop(), redis.stop()]);
    await rm(directory, { recursive: true, force: true });
  });
  await home.create(resourceTypes.namespace, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: quorate },
  });
  const register = (...given: Parameters<typeof registration>) =>
    home.apply(secretType, registration(...given));
  const [watcher, worker, observer] = ['watcher', 'worker', 'observer'].map((name) =>
    startService(t, [process.execPath, `test/bench/load/processes/${name}.ts`], {
      PATH: process.env['PATH'],
      KUBECONFIG: api.kubeconfigPath,
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      QUORATE_KUBE: 'home',
      QUORATE_KUBES_NAMESPACE: quorate,
    }),
  ) as [ServiceProcess, ServiceProcess, ServiceProcess];
  const services = [watcher, worker, observer];
  for (const service of services) await until('it is ready', () => isReady(service), 60_000);
  await settles(home, 'a', 'first');

  // Registered while everything runs, with two that are of no use.
  await register('frozen', 'frozen', frozen.kubeconfig);
  await register('gone', 'gone', gone.kubeconfig);
  await register('empty', 'empty', undefined);
  await register('twice', 'gone', frozen.kubeconfig);
  await Promise.all([settles(frozen.kube, 'a', 'first'), settles(gone.kube, 'a', 'first')]);
  for (const [name, reason] of [
    ['empty', /the key kubeconfig is missing/],
    ['twice', /the id gone is taken by the Secret gone/],
  ] as const) {
    await until(`the Secret ${name} is told of`, async () => {
      const { items } = await home.list(eventType, { namespace: quorate });
      return items.some(({ involvedObject, message }) => {
        return (involvedObject as { name?: string }).name === name && reason.test(String(message));
      });
    });
  }
  for (const service of services) await untilAnswers(service, { home: 1, frozen: 1, gone: 1 });

  const undisturbedMs = await medianMs((round) => settles(home, 'a', `undisturbed ${round}`));
  frozen.process.kill('SIGSTOP');
  gone.process.kill('SIGKILL');
  const disturbedMs = await medianMs((round) => settles(home, 'a', `disturbed ${round}`));
  t.diagnostic(
    `from edit to status at home: ${undisturbedMs.toFixed(0)} ms, with the others away ${disturbedMs.toFixed(0)} ms`,
  );
  // A request to the frozen one ends after ten seconds; whoever waited for it would be seen here.
  assert.ok(disturbedMs < 2 * undisturbedMs + 500, `${undisturbedMs} ms became ${disturbedMs} ms`);
  for (const service of services) {
    await untilAnswers(service, { home: 1, frozen: 0, gone: 0 });
    assert.ok(await isReady(service));
  }
  const outages = watcher
    .log()
    .filter(({ msg, kube }) => /^Kubernetes API is not/.test(msg) && kube === 'gone');
  assert.equal(outages.length, 1);

  frozen.process.kill('SIGCONT');
  await settles(frozen.kube, 'a', 'thawed');
  // The one that is gone comes back as another, with credentials of its own.
  const back = await startApi(t, 'gone');
  await register('gone', 'gone', back.kubeconfig);
  await settles(back.kube, 'a', 'back');
  await settles(back.kube, 'b', 'new');

  await home.delete(secretType, quorate, 'frozen', {
    uid: (await home.get(secretType, quorate, 'frozen'))?.metadata.uid ?? '',
  });
  for (const service of services) await untilAnswers(service, { home: 1, gone: 1 });
  await settles(home, 'a', 'last');

  const bus = await connectBus({ url: nats.url, name: 'test', log, signal: t.signal });
  const kubes = new Set<string>();
  for (const kube of ['home', 'frozen', 'gone'])
    for await (const { payload } of bus.read({
      stream: 'decisions',
      filter: decisionFilter(kube),
      signal: t.signal,
    }))
      kubes.add(`${kube}: ${JSON.parse(payload).kube}`);
  await bus.close();
  assert.deepEqual([...kubes].sort(), ['frozen: frozen', 'gone: gone', 'home: home']);
});
