import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { redisCommand } from '../servers.ts';
import { until } from '../wait.ts';
import { startWriter, type Writer } from '../writer.ts';
import { logFromNow, type ServiceLine } from './logs.ts';
import { etcdCluster, type Stage, startStage } from './stage.ts';

/**
 * A server that Quorate needs is away. In each test something is asked for meanwhile, and must be done afterwards;
 * the processes stay up, and each says the outage in one line at its start and one at its end.
 */
const version = '3.4.23';
const services = ['watcher', 'worker-1', 'worker-2', 'observer'];

let stage: Stage;
let writer: Writer;
before(async () => {
  stage = await startStage();
  await stage.apply(etcdCluster('sized', { size: 1, version }));
  await stage.apply(etcdCluster('served', { size: 3, version }));
  await stage.settled('sized', 1);
  await stage.settled('served', 3);
  writer = startWriter({ endpoints: () => stage.endpoints('served'), prefix: 'served' });
});
after(async () => {
  await writer?.stop();
  await stage?.stop();
});

const scale = (size: number) => stage.kubectl('scale', 'etcdcluster', 'sized', `--replicas=${size}`);

const pids = () => services.map((service) => stage.stack.process(service).pid);

/** Ends a server as a crash would, and keeps it down. */
async function takeDown(server: string): Promise<void> {
  const process = stage.stack.process(server);
  process.kill('SIGKILL');
  await process.stop();
}

interface Outage {
  /** How the log calls the server. */
  server: string;
  /** The services that use it. */
  noticed: string[];
  begin(): Promise<void>;
  /** Asks for something. What it starts need not have been answered before the outage ends. */
  meanwhile(): Promise<void>;
  end(): Promise<void>;
  /** Waits for what was asked for. */
  done(): Promise<unknown>;
}

async function survive({ server, noticed, begin, meanwhile, end, done }: Outage): Promise<void> {
  const before = pids();
  const logs = new Map<string, () => Promise<ServiceLine[]>>();
  for (const service of services) logs.set(service, await logFromNow(stage.stack, service));
  const saying = async (service: string, words: string) =>
    ((await logs.get(service)?.()) ?? []).filter(({ msg }) => msg.startsWith(`${server} is ${words}`));

  await begin();
  const asked = meanwhile();
  for (const service of noticed) {
    const hasSaid = async () => (await saying(service, 'not reachable')).length > 0;
    await until(`${service} says that ${server} is not reachable`, hasSaid, 60_000);
  }
  await end();
  await asked;
  await done();
  for (const service of noticed) {
    const hasSaid = async () => (await saying(service, 'reachable again')).length > 0;
    await until(`${service} says that ${server} is reachable again`, hasSaid, 60_000);
    assert.equal((await saying(service, 'not reachable')).length, 1, `${service} says the outage once`);
  }
  assert.deepEqual(pids(), before, 'no service ended');
  for (const service of services) {
    const lines = (await logs.get(service)?.()) ?? [];
    const text = lines.map(({ level, msg, key, reason }) => [level, msg, key, reason].join(' ')).join('\n');
    assert.ok(lines.length <= 12, `${service} logged ${lines.length} lines:\n${text}`);
  }
}

test('NATS killed and back with its store: a size asked for meanwhile is reached', async () => {
  await survive({
    server: 'NATS',
    noticed: services,
    begin: () => takeDown('nats-server'),
    meanwhile: async () => void (await scale(2)),
    end: () => stage.stack.process('nats-server').start(),
    done: () => stage.settled('sized', 2),
  });
});

test('NATS killed and back with an empty store: a pod deleted meanwhile is replaced', async () => {
  await survive({
    server: 'NATS',
    noticed: services,
    begin: () => takeDown('nats-server'),
    meanwhile: async () => void (await stage.kubectl('delete', 'pod', 'served-3', '--wait=false')),
    async end() {
      await rm(join(stage.stack.dir, 'nats'), { recursive: true });
      await stage.stack.process('nats-server').start();
    },
    async done() {
      await until('its successor is there', () => stage.get('pod', 'served-4'), 60_000);
      await until('it is gone', async () => (await stage.get('pod', 'served-3')) === undefined, 60_000);
      await stage.settled('served', 3);
    },
  });
});

test('Redis killed and back, which empties it: a size asked for meanwhile is reached', async () => {
  await survive({
    server: 'Redis',
    noticed: ['worker-1', 'worker-2'],
    begin: () => takeDown('redis-server'),
    meanwhile: async () => void (await scale(1)),
    end: () => stage.stack.process('redis-server').start(),
    done: () => stage.settled('sized', 1),
  });
});

test('Redis emptied in the middle of scaling: the size is reached', async () => {
  await survive({
    server: 'Redis',
    noticed: [],
    begin: async () => void (await scale(2)),
    async meanwhile() {
      await redisCommand({ port: Number(new URL(stage.stack.redisUrl).port) }, 'FLUSHALL');
    },
    end: async () => {},
    done: () => stage.settled('sized', 2),
  });
});

test('the Kubernetes API frozen for a while: a size asked for meanwhile is reached', async () => {
  await survive({
    server: 'Kubernetes API',
    noticed: ['watcher'],
    begin: async () => stage.stack.process('sandbox').kill('SIGSTOP'),
    meanwhile: async () => void (await scale(1)),
    end: async () => stage.stack.process('sandbox').kill('SIGCONT'),
    done: () => stage.settled('sized', 1),
  });
});

test('no outage lost an acknowledged write, nor kept the members from serving', async () => {
  await writer.stop();
  assert.ok(writer.acknowledged() > 0);
  await stage.settled('served', 3);
  await writer.verify(stage.endpoints('served'));
});
