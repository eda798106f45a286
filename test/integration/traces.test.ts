import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { etcdResource } from '../../libs/engines/etcd/resource.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { crdOf } from '../../libs/kube/crd.ts';
import { installCrds } from '../../libs/kube/install.ts';
import { keysOf } from '../../libs/queue/redis.ts';
import { createTestLog } from '../log.ts';
import { startSandboxApi } from '../sandbox-api.ts';
import { redisCommand, startNats, startRedis } from '../servers.ts';
import { type ServiceProcess, startService } from '../service-process.ts';
import { type CollectedSpan, type Collector, startCollector } from '../trace-collector.ts';
import { until } from '../wait.ts';

/** One change of a cluster, from `kubectl apply` to its status, as a collector of traces sees it. */

const canary = 'a secret that nobody may see';

interface World {
  bus: Bus;
  start(service: string, environment: Record<string, string>): Promise<ServiceProcess>;
  /** Waits until the worker has looked for clusters by itself: one that it found so would have a pass of no event. */
  resynced(): Promise<void>;
  apply(name: string): Promise<void>;
}

/** An API without a node, NATS and Redis. */
async function createWorld(t: TestContext): Promise<World> {
  const log = createTestLog();
  const directory = await mkdtemp(join(tmpdir(), 'quorate-traces-'));
  const [nats, redis, api] = await Promise.all([startNats(), startRedis(), startSandboxApi(directory, log)]);
  const bus = await connectBus({ url: nats.url, name: 'test', log, signal: t.signal });
  // Before the services: a resync that fails at first for want of the kind comes again, and may be before the event.
  const kube = connectKube({ id: 'test', kubeconfigPath: api.kubeconfigPath });
  await installCrds(kube, [crdOf(etcdResource)], { log, signal: t.signal });
  await kube.close();
  t.after(async () => {
    await bus.close();
    await Promise.all([api.close(), nats.stop(), redis.stop()]);
    await rm(directory, { recursive: true, force: true });
  });
  return {
    bus,
    async start(service, environment) {
      const started = startService(t, [process.execPath, `services/${service}/main.ts`], {
        ...{ PATH: process.env['PATH'], KUBECONFIG: api.kubeconfigPath },
        ...{ NATS_URL: nats.url, REDIS_URL: redis.url },
        ...environment,
      });
      await until(
        `the ${service} is ready`,
        async () => (await started.get('/readyz'))?.status === 200,
        60_000,
      );
      return started;
    },
    async resynced() {
      const turn = keysOf('local').turn('resync');
      await until('the first resync is over', async () =>
        (await redisCommand(redis, `EXISTS ${turn}`)).startsWith(':1'),
      );
    },
    async apply(name) {
      const manifest = {
        apiVersion: 'etcd.database.coreos.com/v1beta2',
        kind: 'EtcdCluster',
        metadata: { name, namespace: 'default' },
        spec: { size: 3, pod: { etcdEnv: [{ name: 'TOKEN', value: canary }] } },
      };
      const args = ['--kubeconfig', api.kubeconfigPath, 'apply', '-f', '-'];
      await until('kubectl applies it', () => {
        const { promise, resolve } = Promise.withResolvers<boolean>();
        const program = process.env['KUBECTL'] ?? 'kubectl';
        // The definition of the kind may not be served yet.
        const child = execFile(program, args, { timeout: 20_000 }, (error) => resolve(error === null));
        child.stdin?.end(JSON.stringify(manifest));
        return promise;
      });
    },
  };
}

async function decisions(bus: Bus): Promise<Decision[]> {
  const records: Decision[] = [];
  for await (const { payload } of bus.read({ stream: 'decisions', signal: AbortSignal.timeout(10_000) })) {
    records.push(JSON.parse(payload));
  }
  return records;
}

/** The trace of an object's first event, when all that must be in it is there. */
async function traceOf(collector: Collector, object: string, wanted: string[]): Promise<CollectedSpan[]> {
  return until(
    `the trace of ${object} is there`,
    () => {
      const first = collector
        .spans()
        .find(
          ({ name, attributes }) =>
            name === 'publish event' &&
            attributes['quorate.object'] === object &&
            attributes['quorate.event']?.endsWith('/added'),
        );
      const spans = collector.spans().filter(({ traceId }) => traceId === first?.traceId);
      return wanted.every((name) => spans.some((span) => span.name === name)) && spans;
    },
    60_000,
  );
}

test('one kubectl apply is one trace, through the three services to the status', async (t) => {
  const [world, collector] = await Promise.all([createWorld(t), startCollector(t)]);
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=of the test',
  };
  const services = await Promise.all(
    ['watcher', 'worker', 'observer'].map((name) => world.start(name, environment)),
  );
  await world.resynced();
  await world.apply('example');
  const parts = ['publish event', 'dispatch', 'pass', 'observe', 'plan', 'act', 'write status'];
  const spans = await traceOf(collector, 'etcdclusters/example', parts);

  const only = (name: string): CollectedSpan => {
    const found = spans.filter((span) => span.name === name);
    assert.equal(found.length, 1, `${found.length} spans ${name}`);
    return found[0] ?? assert.fail();
  };
  const parentOf = (name: string) => spans.find(({ spanId }) => spanId === only(name).parentSpanId)?.name;
  assert.equal(only('publish event').parentSpanId, undefined);
  assert.deepEqual(parts.slice(1).map(parentOf), [
    ...['publish event', 'dispatch'],
    ...['pass', 'pass', 'pass', 'pass'],
  ]);
  const serviceOf = (name: string) => only(name).service;
  assert.deepEqual(
    ['publish event', 'dispatch', 'pass', 'act', 'write status'].map(serviceOf),
    ['watcher', 'worker', 'worker', 'worker', 'observer'].map((name) => `quorate-${name}`),
  );
  const steps = spans.filter(({ name }) => name.startsWith('step '));
  assert.ok(steps.length > 0);
  for (const step of steps) {
    assert.equal(step.parentSpanId, only('act').spanId);
    assert.ok(step.startMs >= only('act').startMs && step.endMs <= only('act').endMs);
    assert.equal(step.name, `step ${step.attributes['quorate.step']}`);
    assert.equal(step.attributes['quorate.outcome'], 'done');
  }
  const order = parts.map((name) => only(name).startMs);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );

  const { 'quorate.decision': id, ...about } = only('pass').attributes;
  const record = (await decisions(world.bus)).find((decision) => decision.id === id);
  assert.deepEqual(
    [record?.traceId, record?.spanId],
    [only('pass').traceId, only('pass').spanId],
    'the record leads to the trace',
  );
  assert.deepEqual(about, {
    'quorate.kube': 'local',
    'quorate.key': 'etcd/default/example',
    'quorate.engine': 'etcd',
    'quorate.reason': record?.plan?.reason,
  });
  assert.equal(only('write status').attributes['quorate.decision'], id);

  assert.equal(collector.headers()['authorization'], 'of the test');
  assert.ok(!collector.text().includes(canary));
  // What is left is sent at the end.
  const before = collector.spans().length;
  await world.apply('another');
  const isDispatched = async () =>
    (await decisions(world.bus)).some(({ key, spanId }) => key === 'etcd/default/another' && spanId);
  await until('a pass of it is recorded', isDispatched);
  assert.deepEqual(await Promise.all(services.map((service) => service.stop())), [0, 0, 0]);
  await until('it was sent', () =>
    collector
      .spans()
      .slice(before)
      .some(
        ({ name, attributes }) => name === 'pass' && attributes['quorate.key'] === 'etcd/default/another',
      ),
  );
});

test('a collector that is away is told of once, keeps nobody waiting, and gets what comes when it is back', async (t) => {
  const world = await createWorld(t);
  // An address of its own, which nobody else takes meanwhile.
  const host = `127.${randomInt(200, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const port = 4318;
  const watcher = await world.start('watcher', {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${host}:${port}`,
    // Short, as it is tried again and again in that time; long enough for a collector on a busy machine.
    OTEL_EXPORTER_OTLP_TIMEOUT: '3000',
  });
  const told = (part: string) => watcher.log().filter(({ msg }) => msg.startsWith(part)).length;
  const published = async () => (await world.bus.lastEvents('local')).size;
  for (const [index, name] of ['one', 'two'].entries()) {
    await world.apply(name);
    await until('its event is published', async () => (await published()) === index + 1);
  }
  await until('the outage is told of', () => told('OpenTelemetry collector is not reachable') > 0, 60_000);
  const collector = await startCollector(t, host, port);
  await world.apply('three');
  await traceOf(collector, 'etcdclusters/three', ['publish event']);
  await until('its end is told of', () => told('OpenTelemetry collector is reachable again') > 0);
  assert.equal(told('OpenTelemetry collector'), 2);
  assert.equal(await watcher.stop(), 0);
});

test('without an endpoint nothing is sent, and no record names a span', async (t) => {
  const [world, collector] = await Promise.all([createWorld(t), startCollector(t)]);
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_EXPORTER: 'none' };
  const services = await Promise.all(['watcher', 'worker'].map((name) => world.start(name, environment)));
  await world.apply('example');
  const [record] = await until('a pass is recorded', async () => {
    const records = await decisions(world.bus);
    return records.length > 0 && records;
  });
  assert.match(record?.traceId ?? '', /^[0-9a-f]{32}$/);
  assert.equal(record?.spanId, undefined);
  await Promise.all(services.map((service) => service.stop()));
  assert.equal(collector.text(), '[]');
});
