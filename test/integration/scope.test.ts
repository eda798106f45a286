import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { etcdResource, etcdResourceType } from '../../libs/engines/etcd/resource.ts';
import { connectKube, type WatchableKube } from '../../libs/kube/client.ts';
import { crdOf } from '../../libs/kube/crd.ts';
import { installCrds } from '../../libs/kube/install.ts';
import { type KubeObject, labels, resourceTypes } from '../../libs/kube/object.ts';
import { createTestLog } from '../log.ts';
import { startSandboxApi } from '../sandbox-api.ts';
import { startNats, startRedis } from '../servers.ts';
import { startService } from '../service-process.ts';
import { until } from '../wait.ts';

/** Two operators in one Kubernetes cluster, as the coreos etcd-operator could run: each looks after its own. */

const annotations = { 'etcd.database.coreos.com/scope': 'clusterwide' };
/** However busy the machine is. */
const limitMs = 60_000;

interface World {
  kube: WatchableKube;
  bus: Bus;
  /** Starts the three services, whose records are told by the id of their kube. */
  operate(id: string, environment: Record<string, string>): Promise<void>;
}

async function createWorld(t: TestContext): Promise<World> {
  const log = createTestLog();
  const directory = await mkdtemp(join(tmpdir(), 'quorate-scope-'));
  const [nats, redis, api] = await Promise.all([startNats(), startRedis(), startSandboxApi(directory, log)]);
  const { kubeconfigPath } = api;
  const kube = connectKube({ id: 'test', kubeconfigPath });
  const bus = await connectBus({ url: nats.url, name: 'test', log, signal: t.signal });
  t.after(async () => {
    await Promise.all([bus.close(), kube.close()]);
    await Promise.all([api.close(), nats.stop(), redis.stop()]);
    await rm(directory, { recursive: true, force: true });
  });
  await installCrds(kube, [crdOf(etcdResource)], { log, signal: t.signal });
  for (const name of ['one', 'two', 'three']) {
    await kube.create(resourceTypes.namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    });
  }
  return {
    kube,
    bus,
    async operate(id, environment) {
      // One after the other: many processes that start at once keep a busy machine from all of them.
      for (const name of ['watcher', 'worker', 'observer']) {
        const service = startService(t, [process.execPath, `services/${name}/main.ts`], {
          ...{ PATH: process.env['PATH'], KUBECONFIG: kubeconfigPath, QUORATE_KUBE: id },
          ...{ NATS_URL: nats.url, REDIS_URL: redis.url },
          ...environment,
        });
        const isReady = async () => (await service.get('/readyz'))?.status === 200;
        await until(`the ${name} of ${id} is ready`, isReady, limitMs);
      }
    },
  };
}

const cluster = (namespace: string, name: string, metadata: Partial<KubeObject['metadata']> = {}) => ({
  apiVersion: 'etcd.database.coreos.com/v1beta2',
  kind: 'EtcdCluster',
  metadata: { name, namespace, ...metadata },
  spec: { size: 3 },
});

/** For each cluster, the kubes by whose records something was done to it, or would be said in its status. */
async function actors(bus: Bus): Promise<Record<string, string>> {
  const found = new Map<string, Set<string>>();
  for await (const { payload } of bus.read({ stream: 'decisions', signal: AbortSignal.timeout(limitMs) })) {
    const { kube, key, plan, steps } = JSON.parse(payload) as Decision;
    if (steps.length > 0 || plan?.status) found.set(key, (found.get(key) ?? new Set()).add(kube));
  }
  return Object.fromEntries([...found].map(([key, kubes]) => [key, [...kubes].sort().join(' ')]));
}

async function reasons(bus: Bus, wantedKube: string, wantedKey: string): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { payload } of bus.read({ stream: 'decisions', signal: AbortSignal.timeout(limitMs) })) {
    const { kube, key, plan } = JSON.parse(payload) as Decision;
    if (kube === wantedKube && key === wantedKey) found.push(plan?.reason);
  }
  return found;
}

test('one operator for two namespaces, one for what is annotated: each touches only its own', async (t) => {
  const { kube, bus, operate } = await createWorld(t);
  await operate('namespaced', { QUORATE_NAMESPACES: 'one, three' });
  await operate('wide', { QUORATE_CLUSTER_WIDE: 'annotated' });
  const create = (object: KubeObject) => kube.create(etcdResourceType, object);
  await create(cluster('two', 'nobodys'));
  await create(cluster('one', 'plain'));
  await create(cluster('one', 'asking', { annotations }));
  await create(cluster('two', 'asking', { annotations }));
  await create(cluster('three', 'plain'));

  const statusOf = async (namespace: string, name: string) =>
    (await kube.get(etcdResourceType, namespace, name))?.['status'];
  const objectsOf = async (namespace: string, name: string) =>
    (await kube.list(resourceTypes.service, { namespace, labels: { [labels.cluster]: name } })).items.length;
  for (const [namespace, name] of [
    ['one', 'plain'],
    ['one', 'asking'],
    ['two', 'asking'],
    ['three', 'plain'],
  ] as const) {
    await until(`${namespace}/${name} has a status`, () => statusOf(namespace, name), limitMs);
    assert.ok((await objectsOf(namespace, name)) > 0);
  }
  const asked = async (id: string, key: string) =>
    until(`${id} has left ${key} alone`, async () => (await reasons(bus, id, key)).length > 0, limitMs);
  await asked('namespaced', 'etcd/one/asking');
  await asked('wide', 'etcd/one/plain');
  await asked('wide', 'etcd/three/plain');
  await asked('wide', 'etcd/two/nobodys');
  assert.deepEqual(await actors(bus), {
    'etcd/one/plain': 'namespaced',
    'etcd/one/asking': 'wide',
    'etcd/two/asking': 'wide',
    'etcd/three/plain': 'namespaced',
  });
  assert.deepEqual(await reasons(bus, 'namespaced', 'etcd/two/asking'), [], 'it does not even look there');
  assert.equal(await statusOf('two', 'nobodys'), undefined);
  assert.equal(await objectsOf('two', 'nobodys'), 0);

  // The annotation hands a cluster over, as it is, in either direction.
  await kube.patch(etcdResourceType, 'one', 'plain', { metadata: { annotations } });
  await until(
    'the other one goes on',
    async () => (await actors(bus))['etcd/one/plain'] === 'namespaced wide',
    limitMs,
  );
  await until(
    'the first leaves it alone',
    async () => (await reasons(bus, 'namespaced', 'etcd/one/plain')).at(-1) === 'NotOurs',
    limitMs,
  );
});
