import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { connectBus } from '../../libs/bus/bus.ts';
import { event, parts } from '../contract/bus-setup.ts';
import { reply, startScriptedApi } from '../kube-api.ts';
import { createTestLog } from '../log.ts';
import { startNats, startRedis, type TestServer } from '../servers.ts';
import { type ServiceProcess, startService } from '../service-process.ts';
import { until } from '../wait.ts';

/**
 * The worker as Kubernetes sees it: what it answers to probes, and how it ends. The API knows one cluster, which
 * can hold up a pass for as long as a test wants.
 */
interface World {
  worker: ServiceProcess;
  nats: TestServer;
  redis: TestServer;
  /** The request of a pass that waits for its answer. */
  held(): ServerResponse | undefined;
}

const resource = '/apis/etcd.database.coreos.com/v1beta2/namespaces/default/etcdclusters/example';

async function createWorld(t: TestContext): Promise<World> {
  const metadata = { name: 'example', namespace: 'default', uid: 'u', resourceVersion: '1' };
  let held: ServerResponse | undefined;
  const api = await startScriptedApi(({ url }, response) => {
    const path = url.split('?')[0] ?? '';
    if (path === resource) held = response;
    else if (path.endsWith('/v1beta2/etcdclusters'))
      reply(response, 200, { metadata: {}, items: [{ metadata }] });
    else reply(response, 200, { metadata: {}, items: [], groupVersion: '', versions: [] });
  });
  t.after(() => api.stop());
  const [nats, redis] = await Promise.all([startNats(), startRedis()]);
  t.after(() => Promise.all([nats.stop(), redis.stop()]));
  const worker = startService(t, [process.execPath, 'services/worker/main.ts'], {
    PATH: process.env['PATH'],
    KUBECONFIG: api.kubeconfigPath,
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
  });
  return { worker, nats, redis, held: () => held };
}

async function isReady(worker: ServiceProcess): Promise<boolean> {
  return (await worker.get('/readyz'))?.status === 200;
}

async function says(worker: ServiceProcess, problem: string): Promise<boolean> {
  const answer = await worker.get('/readyz');
  return answer?.status === 503 && answer.text === `${problem}\n`;
}

function letGo(response: ServerResponse): void {
  reply(response, 404, { kind: 'Status', reason: 'NotFound', code: 404, details: { name: 'example' } });
}

test('ready while all that it needs is there, alive in any case', async (t) => {
  const { worker, nats, redis } = await createWorld(t);
  await until('it is ready', () => isReady(worker));
  await nats.kill9();
  await until('it misses NATS', () => says(worker, 'NATS is not reachable'));
  assert.equal((await worker.get('/livez'))?.status, 200);
  await nats.restart();
  await until('it is ready again', () => isReady(worker));
  await redis.kill9();
  await until('it misses Redis', () => says(worker, 'Redis is not reachable'));
  assert.equal((await worker.get('/livez'))?.status, 200);
  const metrics = await worker.get('/metrics');
  assert.equal(metrics?.status, 200, 'metrics are there without Redis');
  assert.doesNotMatch(metrics.text, /^quorate_task(s|_age_seconds)\{/m);
  await redis.restart();
  await until('it is ready again', () => isReady(worker));
});

test('before NATS is there, it is alive and starting', async (t) => {
  const { kubeconfigPath, stop } = await startScriptedApi((_request, response) => reply(response, 200, {}));
  t.after(stop);
  const nowhere = { NATS_URL: 'nats://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1' };
  const environment = { ...nowhere, KUBECONFIG: kubeconfigPath, PATH: process.env['PATH'] };
  const worker = startService(t, [process.execPath, 'services/worker/main.ts'], environment);
  await until('it says so', () => says(worker, 'starting'));
  assert.equal((await worker.get('/livez'))?.status, 200);
  assert.equal(await worker.stop(), 0);
});

test('asked to stop, it is no longer ready, finishes its pass, sends the record and ends well', async (t) => {
  const { worker, nats, held } = await createWorld(t);
  await until('it is ready', () => isReady(worker));
  const pass = await until('a pass has begun', held);
  const stopped = worker.stop();
  await until('it is no longer ready', () => says(worker, 'stopping'));
  assert.equal((await worker.get('/livez'))?.status, 200);
  letGo(pass);
  assert.equal(await stopped, 0);

  const signal = AbortSignal.timeout(10_000);
  const bus = await connectBus({ url: nats.url, name: 'test', log: createTestLog(), signal });
  const records: string[] = [];
  for await (const { payload } of bus.read({ stream: 'decisions', signal })) records.push(payload);
  await bus.close();
  assert.equal(records.length, 1);
  assert.equal(JSON.parse(records[0] ?? '').error, undefined);
});

test('an API that does not answer a pass keeps the worker no longer than a pod has to end', async (t) => {
  const { worker, held } = await createWorld(t);
  await until('a pass has begun', held);
  const beganMs = performance.now();
  assert.equal(await worker.stop(), 0);
  assert.ok(performance.now() - beganMs < 30_000);
});

test('counts passes and events, and tells what it is', async (t) => {
  const { worker, nats, held } = await createWorld(t);
  const signal = AbortSignal.timeout(20_000);
  const bus = await connectBus({ url: nats.url, name: 'test', log: createTestLog(), signal });
  await bus.publishEvent(parts('example'), event('example', 1));
  await bus.close();
  letGo(await until('a pass has begun', held));
  const text = await until('both are counted', async () => {
    const answer = await worker.get('/metrics');
    const counted = ['pass_duration_seconds', 'event_lag_seconds'];
    const isCounted = (name: string) =>
      new RegExp(`^quorate_${name}_count\\{.*\\} [1-9]`, 'm').test(answer?.text ?? '');
    return counted.every(isCounted) && answer?.text;
  });
  assert.match(text, /^quorate_build_info\{service="worker",version="\d+\.\d+\.\d+",node="v24\.\S+"\} 1$/m);
  assert.match(text, /^quorate_tasks\{kube="local",state="waiting"\} \d+$/m);
  assert.match(text, /^quorate_task_age_seconds\{kube="local"\} [\d.]+$/m);
  assert.match(text, /^quorate_event_lag_seconds_count\{kube="local"\} 1$/m);
  assert.match(text, /^quorate_lock_losses_total\{kube="local"\} 0$/m);
  assert.match(text, /^quorate_redeliveries_total 0$/m);
  assert.match(text, /^quorate_dead_letters_total 0$/m);
  assert.equal((await worker.get('/'))?.status, 404);
});
