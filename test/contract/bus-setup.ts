import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import type { EventParts } from '../../libs/bus/subjects.ts';
import { createTestLog } from '../log.ts';
import { startNats, type TestServer } from '../servers.ts';

export interface TestBus {
  nats: TestServer;
  bus: Bus;
  log: ReturnType<typeof createTestLog>;
  /** Ends the consumers that were given it. */
  stop: AbortController;
  /** Another process' connection to the same server. */
  connect(): Promise<Bus>;
  /** Runs until the end of the test, which waits for it and passes its error on. */
  background(work: Promise<void>): void;
}

/** A server and a connection of its own, cleaned up afterwards. */
export async function withBus(body: (test: TestBus) => Promise<void>): Promise<void> {
  const nats = await startNats();
  const stop = new AbortController();
  const log = createTestLog();
  const buses: Bus[] = [];
  const works: Promise<void>[] = [];
  const connect = async () => {
    const bus = await connectBus({ url: nats.url, name: 'test', log, signal: stop.signal });
    buses.push(bus);
    return bus;
  };
  try {
    const bus = await connect();
    await body({ nats, bus, log, stop, connect, background: (work) => void works.push(work) });
    stop.abort();
    await Promise.all(works);
  } finally {
    stop.abort();
    for (const bus of buses) await bus.close();
    await nats.stop();
  }
}

export function parts(object: string, kube = 'local'): EventParts {
  return { kube, engine: 'etcd', namespace: 'default', cluster: 'example', resource: 'pods', object };
}

export function event(object: string, version: number, note = ''): EventEnvelope {
  return {
    specversion: '1.0',
    id: `${object}/${version}/added`,
    source: '/kubes/local',
    type: 'io.quorate.kube.added',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: object }, note },
  };
}
