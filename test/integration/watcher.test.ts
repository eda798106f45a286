import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import type { StreamName } from '../../libs/bus/streams.ts';
import { eventSubject } from '../../libs/bus/subjects.ts';
import { connectKube, type WatchableKube } from '../../libs/kube/client.ts';
import { resourceTypeOf } from '../../libs/kube/definition.ts';
import { type KubeObject, labels, type ResourceType, resourceTypes } from '../../libs/kube/object.ts';
import { readTraceparent } from '../../libs/service/traceparent.ts';
import { noTracing } from '../../libs/service/tracing.ts';
import { runWatcher, type WatchedEngine, type WatcherOptions } from '../../services/watcher/watcher.ts';
import { createTestLog } from '../log.ts';
import { startSandboxApi } from '../sandbox-api.ts';
import { startNats, type TestServer } from '../servers.ts';
import { until } from '../wait.ts';

const engine: WatchedEngine = {
  name: 'example',
  resource: {
    group: 'example.quorate.io',
    version: 'v1',
    kind: 'Example',
    plural: 'examples',
    singular: 'example',
    shortNames: ['ex'],
    description: 'A cluster of nothing.',
    spec: z.object({ size: z.int().default(1).describe('Members.'), note: z.string().optional() }),
    status: z.object({ phase: z.string().optional() }),
    printerColumns: [],
  },
  owned: [resourceTypes.service, resourceTypes.secret],
};
const exampleType = resourceTypeOf(engine.resource);

const namespace = 'default';
const ours = {
  [labels.managedBy]: labels.managedByValue,
  [labels.engine]: 'example',
  [labels.cluster]: 'db',
};

const example = (name: string, spec: object = { size: 1 }): KubeObject => ({
  apiVersion: 'example.quorate.io/v1',
  kind: 'Example',
  metadata: { name, namespace },
  spec,
});
const service = (name: string, given: Record<string, string> = ours): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, labels: given },
  spec: { ports: [{ port: 80 }], selector: { app: name } },
});

interface World {
  kube: WatchableKube;
  kubeconfigPath: string;
  nats: TestServer;
  /** A connection of the test's own, to look at what is stored. */
  bus: Bus;
  /** What all watchers of this test have logged. */
  log: ReturnType<typeof createTestLog>;
  stopApi(): Promise<void>;
  /** Starts a watcher; the function returned stops it. */
  watch(options?: Pick<WatcherOptions, 'compareMs' | 'published'>): () => Promise<void>;
}

/** A Kubernetes API, NATS and connections to both; all end with the test. */
async function createWorld(context: TestContext): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-watcher-'));
  const nats = await startNats();
  const log = createTestLog();
  const api = await startSandboxApi(directory, log);
  const { kubeconfigPath } = api;
  const kube = connectKube({ id: 'local', kubeconfigPath });
  const end = new AbortController();
  const bus = await connectBus({ url: nats.url, name: 'test', log, signal: end.signal });
  let apiStopped: Promise<void> | undefined;
  const stopApi = () => {
    apiStopped ??= api.close();
    return apiStopped;
  };
  const stops: (() => Promise<void>)[] = [];
  context.after(async () => {
    await Promise.all(stops.map((stop) => stop()));
    end.abort();
    await bus.close();
    await kube.close();
    await stopApi();
    await nats.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const watch: World['watch'] = (options = {}) => {
    const stopping = new AbortController();
    const { signal } = stopping;
    const running = (async () => {
      const own = connectKube({ id: 'local', kubeconfigPath });
      const ownBus = await connectBus({ url: nats.url, name: 'watcher', log, signal });
      const digestKey = 'the key of this test';
      await runWatcher({
        ...{ kube: own, bus: ownBus, engines: [engine], digestKey, tracing: noTracing, log, signal },
        ...options,
      });
      await ownBus.close();
      await own.close();
    })();
    const stop = async () => {
      stopping.abort();
      await running;
    };
    stops.push(stop);
    return stop;
  };
  return { kube, kubeconfigPath, nats, bus, log, stopApi, watch };
}

async function stored(
  bus: Bus,
  stream: StreamName,
): Promise<{ text: string; headers: Record<string, string> }[]> {
  const messages: { text: string; headers: Record<string, string> }[] = [];
  for await (const { payload, headers } of bus.read({ stream, signal: new AbortController().signal })) {
    messages.push({ text: payload, headers });
  }
  return messages;
}

async function events(bus: Bus): Promise<EventEnvelope[]> {
  return (await stored(bus, 'events')).map(({ text }) => JSON.parse(text));
}

/** The last event of an object, as `modified 7`, with its resourceVersion. */
async function last(bus: Bus, type: ResourceType, name: string): Promise<string | undefined> {
  const cluster = type === exampleType ? name : 'db';
  const parts = { kube: 'local', engine: 'example', namespace, cluster, resource: type.plural, object: name };
  const event = (await bus.lastEvents('local')).get(eventSubject(parts));
  return event && `${event.type.split('.').at(-1)} ${event.data.metadata.resourceVersion}`;
}

/** Empties the stream behind the back of everybody, in NATS' own protocol. */
async function purgeEvents(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.end('CONNECT {"verbose":false}\r\nPUB $JS.API.STREAM.PURGE.EVENTS 0\r\n\r\nPING\r\n');
  socket.resume();
  await once(socket, 'close');
}

const isTold = (bus: Bus, type: ResourceType, object: KubeObject, as: string) =>
  until(`${object.metadata.name} is ${as}`, async () => {
    return (await last(bus, type, object.metadata.name)) === `${as} ${object.metadata.resourceVersion}`;
  });

const isDeleted = (bus: Bus, type: ResourceType, name: string) =>
  until(`${name} is deleted`, async () => (await last(bus, type, name))?.startsWith('deleted') ?? false);

describe('the watcher', { concurrency: 2 }, () => {
  test('installs the CRD and publishes what happens to custom resources and to what is ours', async (context) => {
    const { kube, bus, watch } = await createWorld(context);
    watch();
    await until('the CRD is installed', async () => {
      const { customResourceDefinition } = resourceTypes;
      return (
        (await kube.get(customResourceDefinition, undefined, 'examples.example.quorate.io')) !== undefined
      );
    });
    let created: KubeObject | undefined;
    await until('the kind is served', async () => {
      created = await kube.create(exampleType, example('db')).catch(() => undefined);
      return created !== undefined;
    });
    assert.ok(created);
    await isTold(bus, exampleType, created, 'added');
    const changed = await kube.patch(exampleType, namespace, 'db', { spec: { size: 3 } });
    await isTold(bus, exampleType, changed, 'modified');
    await kube.create(resourceTypes.service, service('foreign', {}));
    const owned = await kube.create(resourceTypes.service, service('db-client'));
    await isTold(bus, resourceTypes.service, owned, 'added');
    await kube.delete(exampleType, namespace, 'db', { uid: created.metadata.uid ?? '' });
    await isDeleted(bus, exampleType, 'db');

    const all = await events(bus);
    assert.ok(all.every((event) => event.data.metadata.name !== 'foreign'));
    assert.ok(all.every((event) => event.data.metadata.managedFields === undefined));
    const traces = all.map(({ traceparent }) => readTraceparent(traceparent)?.traceId);
    assert.equal(new Set(traces).size, all.length);
    assert.ok(!traces.includes(undefined));
  });

  test('what changed, came or vanished while no watcher ran is published by the next one', async (context) => {
    const { kube, bus, watch } = await createWorld(context);
    const [same, changes, vanishes] = await Promise.all(
      ['same', 'changes', 'vanishes'].map((name) => kube.create(resourceTypes.service, service(name))),
    );
    assert.ok(same && changes && vanishes);
    const stop = watch();
    for (const object of [same, changes, vanishes]) await isTold(bus, resourceTypes.service, object, 'added');
    await stop();
    const before = (await events(bus)).length;

    const change = { metadata: { annotations: { now: 'different' } } };
    const changed = await kube.patch(resourceTypes.service, namespace, 'changes', change);
    await kube.delete(resourceTypes.service, namespace, 'vanishes', { uid: vanishes.metadata.uid ?? '' });
    const fresh = await kube.create(resourceTypes.service, service('fresh'));
    watch();
    await isTold(bus, resourceTypes.service, changed, 'modified');
    await isTold(bus, resourceTypes.service, fresh, 'added');
    await isTold(bus, resourceTypes.service, vanishes, 'deleted');
    const later = (await events(bus)).slice(before).map((event) => event.data.metadata.name);
    assert.deepEqual(later.sort(), ['changes', 'fresh', 'vanishes']);
  });

  test('two watchers store one copy of each event', async (context) => {
    const { kube, bus, watch } = await createWorld(context);
    const first = await kube.create(resourceTypes.service, service('first'));
    const told = [0, 0];
    for (const index of told.keys())
      watch({
        published() {
          told[index] = (told[index] ?? 0) + 1;
        },
      });
    await isTold(bus, resourceTypes.service, first, 'added');
    // One that has yet to list would see what was created and changed meanwhile as one change, under an id of its own.
    const latest = await until('both follow what happens', async () => {
      const change = { metadata: { annotations: { now: JSON.stringify(told) } } };
      const changed = await kube.patch(resourceTypes.service, namespace, 'first', change);
      return told.every((count) => count > 0) && changed;
    });
    await isTold(bus, resourceTypes.service, latest, 'modified');
    const before = (await events(bus)).length;
    const names = Array.from({ length: 10 }, (_, index) => `s-${index}`);
    for (const name of names) await kube.create(resourceTypes.service, service(name));
    for (const name of names) {
      const change = { metadata: { annotations: { now: 'different' } } };
      const changed = await kube.patch(resourceTypes.service, namespace, name, change);
      await isTold(bus, resourceTypes.service, changed, 'modified');
    }
    const end = await kube.create(resourceTypes.service, service('end'));
    await isTold(bus, resourceTypes.service, end, 'added');
    const ids = (await events(bus)).slice(before).map((event) => event.id);
    assert.equal(new Set(ids).size, ids.length, ids.sort().join('\n'));
    assert.equal(ids.length, 1 + 2 * names.length);
  });

  test('when NATS lost everything, everything is published again', async (context) => {
    const { kube, bus, nats, watch } = await createWorld(context);
    const kept = await kube.create(resourceTypes.service, service('kept'));
    watch();
    await isTold(bus, resourceTypes.service, kept, 'added');
    await nats.kill9();
    await nats.restart({ empty: true });
    await until('it is there again', async () => {
      try {
        return (await last(bus, resourceTypes.service, 'kept')) !== undefined;
      } catch {
        // Not connected again yet.
        return false;
      }
    });
  });

  test('what somebody removed from the stream is published again', async (context) => {
    const { kube, bus, nats, watch } = await createWorld(context);
    const kept = await kube.create(resourceTypes.service, service('kept'));
    watch({ compareMs: 400 });
    await isTold(bus, resourceTypes.service, kept, 'added');
    for (let round = 0; round < 3; round++) {
      const removed = await bus.removedCount('events');
      await purgeEvents(nats.port);
      await until('it is gone', async () => (await bus.removedCount('events')) > removed);
      await until('it is there again', async () => (await events(bus)).length === 1);
    }
  });

  test('what happens while NATS is away is published when it is back', async (context) => {
    const { kube, bus, nats, watch } = await createWorld(context);
    const object = await kube.create(resourceTypes.service, service('object'));
    watch();
    await isTold(bus, resourceTypes.service, object, 'added');
    await nats.kill9();
    const versions = [object.metadata.resourceVersion];
    for (const round of ['1', '2', '3']) {
      const change = { metadata: { annotations: { round } } };
      const changed = await kube.patch(resourceTypes.service, namespace, 'object', change);
      versions.push(changed.metadata.resourceVersion);
    }
    await nats.restart();
    await until('all of it is told', async () => {
      try {
        return (await last(bus, resourceTypes.service, 'object')) === `modified ${versions.at(-1)}`;
      } catch {
        // Not connected again yet.
        return false;
      }
    });
    assert.deepEqual(
      (await events(bus)).map((event) => event.data.metadata.resourceVersion),
      versions,
    );
  });

  test('what cannot be an event goes to DEAD, and the rest goes on', async (context) => {
    const { kube, bus, watch } = await createWorld(context);
    const { [labels.cluster]: _cluster, ...incomplete } = ours;
    watch();
    await until('the kind is served', () =>
      kube.create(exampleType, example('huge', { note: 'x'.repeat(1_500_000) })).then(
        () => true,
        () => false,
      ),
    );
    await kube.create(resourceTypes.service, service('lost', incomplete));
    const after = await kube.create(resourceTypes.service, service('after'));
    await isTold(bus, resourceTypes.service, after, 'added');
    await until('both are in DEAD', async () => (await stored(bus, 'dead')).length === 2);
    const reasons = (await stored(bus, 'dead')).map(({ headers }) => headers['Quorate-Reason']);
    assert.deepEqual(reasons.sort(), ['too-large', 'unlabelled']);
  });

  test('an API that goes away is one line, whatever is watched', async (context) => {
    const { kube, bus, log, stopApi, watch } = await createWorld(context);
    const object = await kube.create(resourceTypes.service, service('object'));
    watch();
    await isTold(bus, resourceTypes.service, object, 'added');
    await until('all is watched', () => log.lines.some(({ message }) => message === 'watching'));
    const before = log.lines.length;
    // It ends when the last connection does, and one that was just being opened is the watcher's to close;
    // the end of the world waits for it.
    void stopApi();
    await until('it is noticed', () => log.lines.length > before);
    // Long enough for every kind to have tried again more than once.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const told = log.lines.slice(before).map(({ message }) => message);
    assert.deepEqual(told, ['Kubernetes API is not reachable; trying again until it is']);
  });

  test("a Secret's data is never on the bus", async (context) => {
    const { kube, bus, watch } = await createWorld(context);
    const canary = 'canary-4f1b7c';
    const encoded = Buffer.from(canary).toString('base64');
    const secret = (name: string, given: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        labels: given,
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"password":"${encoded}"}}`,
        },
      },
      type: 'Opaque',
      stringData: { password: canary },
    });
    const { [labels.cluster]: _cluster, ...incomplete } = ours;
    watch();
    const object = await kube.create(resourceTypes.secret, secret('credentials', ours));
    await kube.create(resourceTypes.secret, secret('lost', incomplete));
    await isTold(bus, resourceTypes.secret, object, 'added');
    const data = { password: Buffer.from('another').toString('base64') };
    const changed = await kube.patch(resourceTypes.secret, namespace, 'credentials', { data });
    await isTold(bus, resourceTypes.secret, changed, 'modified');
    await until('the other is in DEAD', async () => (await stored(bus, 'dead')).length === 1);

    const everything = [...(await stored(bus, 'events')), ...(await stored(bus, 'dead'))];
    for (const { text, headers } of everything) {
      const whole = text + JSON.stringify(headers);
      assert.ok(!whole.includes(canary) && !whole.includes(encoded), whole);
    }
    const [before, after] = (await events(bus)).map((event) => event.data);
    assert.deepEqual(before?.['keys'], ['password']);
    assert.notEqual(before?.['digest'], after?.['digest']);
  });

  test('as a process: starts from its environment and stops in order', async (context) => {
    const { bus, kubeconfigPath, nats } = await createWorld(context);
    const environment = { ...process.env, KUBECONFIG: kubeconfigPath, NATS_URL: nats.url };
    const watcher = spawn(process.execPath, ['services/watcher/main.ts'], { env: environment });
    let output = '';
    watcher.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const exit = new Promise((resolve) => watcher.once('close', (code, signal) => resolve(code ?? signal)));
    context.after(() => watcher.kill('SIGKILL'));
    await until('it watches', () => output.includes('"watching"'));
    assert.equal((await events(bus)).length, 0);
    watcher.kill('SIGTERM');
    assert.equal(await exit, 0, output);
    assert.equal(output.trim().split('\n').length, 2, output);
  });
});
