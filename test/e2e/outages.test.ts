import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { redisCommand } from '../servers.ts';
import { until } from '../wait.ts';
import { startWriter, type Writer } from '../writer.ts';
import { type Component, type ServiceLine, services } from './bench/operator.ts';
import { etcdCluster, openStage } from './stage.ts';

/**
 * A server that Quorate needs is away. In each test something is asked for meanwhile, and must be done afterwards;
 * the processes stay up, and each says the outage in one line at its start and one at its end.
 */
const version = '3.4.23';

const { stage } = await openStage();
let writer: Writer;
before(async () => {
  await stage.apply(etcdCluster('sized', { size: 1, version }));
  await stage.apply(etcdCluster('served', { size: 3, version }));
  await stage.settled('sized', 1);
  await stage.settled('served', 3);
  writer = startWriter({ endpoints: () => stage.endpoints('served'), prefix: 'served' });
});
after(() => writer?.stop());

const scale = (size: number) => stage.kubectl('scale', 'etcdcluster', 'sized', `--replicas=${size}`);

interface Outage {
  /** How the log calls the server. */
  server: string;
  /** The services that use it. */
  noticed: readonly Component[];
  /** Returns what ends the outage. */
  begin(): Promise<() => Promise<void>>;
  /** Asks for something. What it starts need not have been answered before the outage ends. */
  meanwhile(): Promise<unknown>;
  /** Waits for what was asked for. */
  done(): Promise<unknown>;
}

async function survive({ server, noticed, begin, meanwhile, done }: Outage): Promise<void> {
  const before = await stage.operator.lives(services);
  const logs = await logsFromNow();
  const saying = (lines: ServiceLine[], words: string) =>
    lines.filter(({ msg }) => msg.startsWith(`${server} is ${words}`));
  const allSay = (words: string) =>
    until(
      `${noticed.join(', ')} say that ${server} is ${words}`,
      async () => {
        const lines = [...(await logs(noticed)).values()];
        return lines.length >= noticed.length && lines.every((each) => saying(each, words).length > 0);
      },
      150_000,
    );

  const end = await begin();
  const asked = meanwhile();
  if (noticed.length > 0) await allSay('not reachable');
  await end();
  await asked;
  await done();
  if (noticed.length > 0) await allSay('reachable again');
  assert.deepEqual(await stage.operator.lives(services), before, 'no process ended');
  for (const [name, lines] of await logs(noticed))
    assert.equal(saying(lines, 'not reachable').length, 1, `${name} says the outage once`);
  for (const [name, lines] of await logs(services)) {
    const text = lines.map(({ level, msg, key, reason }) => [level, msg, key, reason].join(' ')).join('\n');
    assert.ok(lines.length <= 12, `${name} logged ${lines.length} lines:\n${text}`);
  }
}

/** Returns how to read what the processes of some services log from now on. */
async function logsFromNow() {
  const reads = new Map<Component, () => Promise<Map<string, ServiceLine[]>>>();
  for (const service of services) reads.set(service, await stage.operator.logFromNow(service));
  return async (wanted: readonly Component[]): Promise<Map<string, ServiceLine[]>> => {
    const logs = await Promise.all(wanted.map((service) => reads.get(service)?.()));
    return new Map(logs.flatMap((log) => [...(log ?? [])]));
  };
}

test('NATS killed and back with its store: a size asked for meanwhile is reached', async () => {
  await survive({
    server: 'NATS',
    noticed: services,
    begin: () => stage.operator.takeAway('nats', 'kept'),
    meanwhile: () => scale(2),
    done: () => stage.settled('sized', 2),
  });
});

test('NATS killed and back with an empty store: a pod deleted meanwhile is replaced', async () => {
  await survive({
    server: 'NATS',
    noticed: services,
    begin: () => stage.operator.takeAway('nats', 'lost'),
    meanwhile: () => stage.kubectl('delete', 'pod', 'served-3', '--wait=false'),
    async done() {
      await until('its successor is there', () => stage.get('pod', 'served-4'), 150_000);
      await until('it is gone', async () => (await stage.get('pod', 'served-3')) === undefined, 150_000);
      await stage.settled('served', 3);
    },
  });
});

test('Redis killed and back, which empties it: a size asked for meanwhile is reached', async () => {
  await survive({
    server: 'Redis',
    noticed: ['worker'],
    begin: () => stage.operator.takeAway('redis', 'lost'),
    meanwhile: () => scale(1),
    done: () => stage.settled('sized', 1),
  });
});

test('Redis emptied in the middle of scaling: the size is reached', async () => {
  await survive({
    server: 'Redis',
    noticed: [],
    async begin() {
      await scale(2);
      return async () => {};
    },
    meanwhile: () => redisCommand({ url: stage.operator.redisUrl }, 'FLUSHALL'),
    done: () => stage.settled('sized', 2),
  });
});

const { freezeApi } = stage;
test('the Kubernetes API frozen for a while: a size asked for meanwhile is reached', {
  skip: freezeApi === undefined && 'the sandbox only: it freezes the API server',
}, async () => {
  assert.ok(freezeApi);
  await survive({
    server: 'Kubernetes API',
    noticed: ['watcher'],
    begin: freezeApi,
    // kubectl gives up after four times ten seconds without an answer, of which the watcher takes most to notice.
    meanwhile: () =>
      until('kubectl is answered', () =>
        scale(1).catch((error) => {
          assert.match(String(error.stderr), /TLS handshake timeout/);
        }),
      ),
    done: () => stage.settled('sized', 1),
  });
});

test('no outage lost an acknowledged write, nor kept the members from serving', async () => {
  await writer.stop();
  assert.ok(writer.acknowledged() > 0);
  await stage.settled('served', 3);
  await writer.verify(stage.endpoints('served'));
});
