import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { etcdResource, etcdResourceType as type } from '../../libs/engines/etcd/resource.ts';
import { connectKube, type WatchableKube } from '../../libs/kube/client.ts';
import { crdOf } from '../../libs/kube/crd.ts';
import { installCrds } from '../../libs/kube/install.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import { watchObjects } from '../../libs/kube/watch.ts';
import { createTestLog } from '../log.ts';
import { startSandboxApi } from '../sandbox-api.ts';
import { startNats } from '../servers.ts';
import { type ServiceProcess, startService } from '../service-process.ts';
import { until } from '../wait.ts';

const namespace = 'default';
const clusters = ['a', 'b', 'c', 'd', 'e', 'f'];
const rounds = 30;

/** Ever the same numbers after the same seed, from 0 up to 1: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The number of the record that each part of a status comes from. */
interface Said {
  available: number;
  blocked: number;
}

function saidBy(resource: KubeObject): Said {
  const { conditions = [] } = (resource['status'] ?? {}) as {
    conditions?: { type: string; message: string }[];
  };
  const numberOf = (wanted: string) => {
    const message = conditions.find((condition) => condition.type === wanted)?.message ?? '';
    return Number(/record (\d+)/.exec(message)?.[1] ?? 0);
  };
  return { available: numberOf('Available'), blocked: numberOf('Blocked') };
}

/** The record of one pass, and which parts of the status it says something of. */
function record(
  { metadata }: KubeObject,
  number: number,
  kind: number,
): { decision: Decision; says: (keyof Said)[] } {
  const available = { type: 'Available', status: 'True', reason: 'Quorum' } as const;
  const status = { conditions: [{ ...available, message: `record ${number}` }] };
  const parts = { rule: 'r', evidence: `record ${number}`, action: 'a' };
  const plan = { reason: 'Situation', message: '', steps: [] };
  const about = {
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    resourceVersion: metadata.resourceVersion ?? '',
  };
  const decision: Decision = {
    ...{ format: 2, id: randomUUID(), kube: 'local', key: `etcd/${namespace}/${metadata.name}` },
    ...{ engine: { name: 'etcd', version: 1 }, worker: 'w', wokenBy: [], traceId: 't' },
    ...{ time: new Date().toISOString(), nowMs: Date.now(), resource: about, spec: {}, facts: {} },
    ...{ steps: [], durationMs: { observe: 0, plan: 0, act: 0 } },
  };
  const failed = (code: string, retryable: boolean) => ({
    error: { code, message: `record ${number}`, retryable },
  });
  if (kind < 0.6) {
    return {
      decision: { ...decision, plan: { ...plan, status, blocked: parts } },
      says: ['available', 'blocked'],
    };
  }
  if (kind < 0.7) {
    return {
      decision: { ...decision, plan: { ...plan, status }, ...failed('KUBE_UNREACHABLE', true) },
      says: ['available'],
    };
  }
  if (kind < 0.8) return { decision: { ...decision, ...failed('KUBE_REFUSED', false) }, says: ['blocked'] };
  // None of these says anything: a lost task, a pass that could not read, a pass about a resource of before.
  if (kind < 0.9)
    return { decision: { ...decision, plan: { ...plan, status }, ...failed('TASK_LOST', true) }, says: [] };
  if (kind < 0.95) return { decision: { ...decision, ...failed('KUBE_UNREACHABLE', true) }, says: [] };
  const other = { ...about, uid: 'of a resource of before' };
  return { decision: { ...decision, resource: other, plan: { ...plan, status, blocked: parts } }, says: [] };
}

interface World {
  kube: WatchableKube;
  bus: Bus;
  observer(): ServiceProcess;
  /** How many records are not handled yet, or not acknowledged. */
  leftCount(): Promise<number>;
  /** Sets the rules by which the API breaks, in place of those before. */
  fault(rules: object[]): Promise<void>;
}

async function createWorld(t: TestContext): Promise<World> {
  const log = createTestLog();
  const { signal } = t;
  const directory = await mkdtemp(join(tmpdir(), 'quorate-observers-'));
  const [nats, api] = await Promise.all([startNats(), startSandboxApi(directory, log)]);
  const { kubeconfigPath } = api;
  const kube = connectKube({ id: 'local', kubeconfigPath });
  const bus = await connectBus({ url: nats.url, name: 'test', log, signal });
  const connection = await connectNats({ servers: nats.url });
  const manager = await jetstreamManager(connection);
  t.after(async () => {
    await connection.close();
    await Promise.all([bus.close(), kube.close(), api.close(), nats.stop()]);
    await rm(directory, { recursive: true, force: true });
  });
  await installCrds(kube, [crdOf(etcdResource)], { log, signal });
  return {
    kube,
    bus,
    observer: () =>
      startService(t, [process.execPath, 'services/observer/main.ts'], {
        PATH: process.env['PATH'],
        KUBECONFIG: kubeconfigPath,
        NATS_URL: nats.url,
      }),
    async leftCount() {
      const { num_pending, num_ack_pending } = await manager.consumers.info('DECISIONS', 'observer-local');
      return num_pending + num_ack_pending;
    },
    async fault(rules) {
      const args = ['--kubeconfig', kubeconfigPath, 'replace', '--raw', '/sandbox/faults', '-f', '-'];
      await new Promise<void>((resolve, reject) => {
        const kubectl = execFile(process.env['KUBECTL'] ?? 'kubectl', args, (error) =>
          error ? reject(error) : resolve(),
        );
        kubectl.stdin?.end(JSON.stringify(rules));
      });
    },
  };
}

/** Slows down some of the requests about statuses, each time others. */
const delays = (random: () => number): object[] =>
  ['get', 'patch'].flatMap((verb) =>
    Array.from({ length: 20 }, () => ({
      ...{ verb, resource: verb === 'get' ? 'etcdclusters' : 'etcdclusters/status' },
      ...{ nth: 1 + Math.floor(random() * 60), times: 1, delayMs: Math.floor(random() * 600) },
    })),
  );

const create = (kube: WatchableKube, name: string): Promise<KubeObject> =>
  kube.create(type, {
    ...{ apiVersion: `${type.group}/${type.version}`, kind: type.kind },
    ...{ metadata: { name, namespace }, spec: { size: 1 } },
  });

const isReady = (service: ServiceProcess) =>
  until('it is ready', async () => (await service.get('/readyz'))?.status === 200);

test('with several observers, some killed and some frozen, a status never goes back and ends as last decided', async (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const again = `SEED=${seed} node --test test/integration/observers.test.ts`;
  t.diagnostic(again);
  const random = randomFrom(seed);
  const { kube, bus, observer, fault, leftCount } = await createWorld(t);
  const resources = new Map<string, KubeObject>();
  for (const name of clusters) resources.set(name, await create(kube, name));

  const seen = new Map<string, Said>();
  const wentBack: string[] = [];
  const end = new AbortController();
  t.after(() => end.abort());
  const watching = (async () => {
    const { signal } = end;
    for await (const change of watchObjects({ kube, type, log: createTestLog(), signal })) {
      if (change.type === 'listing') continue;
      const objects = change.type === 'listed' ? change.items : [change.object];
      for (const object of objects) {
        const { name, uid = '' } = object.metadata;
        const now = saidBy(object);
        const before = seen.get(uid) ?? { available: 0, blocked: 0 };
        if (now.available < before.available || now.blocked < before.blocked)
          wentBack.push(`${name}: ${JSON.stringify(before)} became ${JSON.stringify(now)}`);
        seen.set(uid, now);
      }
    }
  })();

  const observers = [observer(), observer(), observer()];
  await Promise.all(observers.map(isReady));
  const expected = new Map<string, Said>();
  for (let round = 1; round <= rounds; round++) {
    if (round % 5 === 1) await fault(delays(random));
    if (round === 8) observers[0]?.kill('SIGKILL');
    if (round === 12) observers[1]?.kill('SIGSTOP');
    if (round === 15) observers.push(observer());
    if (round === 18) {
      const { uid = '' } = resources.get('a')?.metadata ?? {};
      await kube.delete(type, namespace, 'a', { uid });
      resources.set('a', await create(kube, 'a'));
      expected.delete('a');
    }
    if (round === 22) observers[1]?.kill('SIGCONT');
    if (round === 25) observers[2]?.kill('SIGKILL');
    for (const name of clusters) {
      const burst = 1 + Math.floor(random() * 3);
      for (let count = 0; count < burst; count++) {
        const number = round * 10 + count;
        const made = record(resources.get(name) as KubeObject, number, random());
        const said = expected.get(name) ?? { available: 0, blocked: 0 };
        for (const part of made.says) said[part] = number;
        expected.set(name, said);
        const key = { engine: 'etcd', namespace, name };
        await bus.publishDecision('local', key, made.decision.id, made.decision);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, random() * 200));
  }

  for (const name of clusters) {
    const { uid = '' } = resources.get(name)?.metadata ?? {};
    const wanted = JSON.stringify(expected.get(name));
    await until(`${name} is ${wanted}, it was ${JSON.stringify(seen.get(uid))} (${again})`, () => {
      return JSON.stringify(seen.get(uid)) === wanted;
    });
  }
  // What was taken and not acknowledged comes again now, and must change nothing any more.
  await until('every record is acknowledged', async () => (await leftCount()) === 0);
  end.abort();
  await watching;
  for (const name of clusters) {
    const resource = (await kube.get(type, namespace, name)) as KubeObject;
    assert.deepEqual(saidBy(resource), expected.get(name), again);
  }
  assert.deepEqual(wentBack, [], again);
});

/** The kinds of records that say everything, and only what blocks. */
const [everything, blocked] = [0, 0.75];

/** One observer and some clusters, and what a test does with them. */
async function createClusters(t: TestContext, ...names: string[]) {
  const world = await createWorld(t);
  const { kube, bus, observer } = world;
  const resources = new Map<string, KubeObject>();
  for (const name of names) resources.set(name, await create(kube, name));
  const service = observer();
  await isReady(service);
  return {
    ...world,
    async decide(name: string, number: number, kind = everything) {
      const { decision } = record(resources.get(name) as KubeObject, number, kind);
      await bus.publishDecision('local', { engine: 'etcd', namespace, name }, decision.id, decision);
    },
    async says(name: string, wanted: Said) {
      await until(`${name} is ${JSON.stringify(wanted)}`, async () => {
        const said = saidBy((await kube.get(type, namespace, name)) as KubeObject);
        return said.available === wanted.available && said.blocked === wanted.blocked;
      });
    },
    async deadCount() {
      let count = 0;
      for await (const _ of bus.read({ stream: 'dead', signal: t.signal })) count++;
      return count;
    },
    /** How many lines of the observer's log tell that records wait, and that none does any more. */
    told() {
      const count = (text: RegExp) => service.log().filter(({ msg }) => text.test(msg)).length;
      return [count(/waits for another try/), count(/are handled again/)];
    },
  };
}

test('a status that is refused for a while follows when it may be written, and meanwhile holds up no other', async (t) => {
  const { decide, says, told, fault, leftCount, deadCount } = await createClusters(t, 'a', 'b', 'c', 'd');
  const status = { verb: 'patch', resource: 'etcdclusters/status' };
  const quota = 'etcdclusters "b" is forbidden: exceeded quota: few';
  await fault([
    { ...status, name: 'a', status: 403 },
    { ...status, name: 'b', status: 403, message: quota },
    { verb: 'get', resource: 'etcdclusters', name: 'c', status: 401 },
  ]);
  await decide('a', 1);
  await decide('a', 2, blocked);
  await decide('b', 1);
  await decide('c', 1);
  await decide('c', 2);
  await until('only the first of c is given up', async () => (await leftCount()) === 4);
  for (let number = 1; number <= 5; number++) {
    await decide('d', number);
    await says('d', { available: number, blocked: number });
  }
  await until('nothing else waits', async () => (await leftCount()) === 4);
  assert.deepEqual([told(), await deadCount()], [[1, 0], 0]);

  await fault([]);
  await says('a', { available: 1, blocked: 2 });
  await says('b', { available: 1, blocked: 1 });
  await says('c', { available: 2, blocked: 2 });
  await until('every record is acknowledged', async () => (await leftCount()) === 0);
  await until('its end is told', () => told()[1] === 1);
  assert.deepEqual([told(), await deadCount()], [[1, 1], 0]);

  // What the API finds wrong is put aside, and the next is written.
  await fault([{ ...status, name: 'd', status: 422, times: 1 }]);
  await decide('d', 6);
  await until('it is in DEAD', async () => (await deadCount()) === 1);
  await decide('d', 7);
  await says('d', { available: 7, blocked: 7 });
  assert.deepEqual(told(), [1, 1]);
});

test('when the API says when to come back, nobody asks it for anything before that', async (t) => {
  const { decide, says, told, fault } = await createClusters(t, 'a', 'b');
  const status = { verb: 'patch', resource: 'etcdclusters/status', name: 'a' };
  await fault([{ ...status, times: 1, status: 429, retryAfterSeconds: 3 }]);
  const startedMs = performance.now();
  await decide('a', 1);
  await until('it is told to come back', () => told()[0] === 1);
  await decide('b', 1);
  await says('b', { available: 1, blocked: 1 });
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= 3000, `after ${tookMs} ms`);
  await says('a', { available: 1, blocked: 1 });
});
