import { connect, createServer, type Server, type Socket } from 'node:net';
import type { KubeObject } from '../../kube/object.ts';
import type { Log } from '../../service/log.ts';

interface ServicePort {
  name?: string;
  port: number;
  protocol?: string;
}

interface EndpointSubset {
  addresses?: { ip: string }[];
  ports?: { name?: string; port: number }[];
}

interface Listener {
  server: Server;
  sockets: Set<Socket>;
  targets: { host: string; port: number }[];
  next: number;
}

/** A TCP proxy on the address and ports of every service that has one, to its ready endpoints in turn. */
export class ServiceProxy {
  readonly #log: Log;
  readonly #listeners = new Map<string, Listener>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Opens, closes and redirects listeners so that they are what the services and their endpoints say. */
  sync(services: KubeObject[], endpoints: KubeObject[]): void {
    const wanted = new Set<string>();
    for (const service of services) {
      const spec = (service['spec'] ?? {}) as { clusterIP?: string; ports?: ServicePort[] };
      if (!spec.clusterIP || spec.clusterIP === 'None') continue;
      const { name, namespace } = service.metadata;
      const found = endpoints.find(
        (each) => each.metadata.name === name && each.metadata.namespace === namespace,
      );
      for (const port of spec.ports ?? []) {
        if ((port.protocol ?? 'TCP') !== 'TCP') continue;
        const key = `${spec.clusterIP}:${port.port}`;
        wanted.add(key);
        const listener = this.#listeners.get(key) ?? this.#listen(key, spec.clusterIP, port.port);
        listener.targets = targetsOf(found, port);
      }
    }
    for (const key of [...this.#listeners.keys()].filter((key) => !wanted.has(key))) this.#close(key);
  }

  close(): void {
    for (const key of [...this.#listeners.keys()]) this.#close(key);
  }

  #listen(key: string, host: string, port: number): Listener {
    const server = createServer((client) => this.#forward(client, listener));
    const listener: Listener = { server, sockets: new Set(), targets: [], next: 0 };
    server.on('error', (error) => this.#log.warn({ address: key, error }, 'cannot listen for a service'));
    server.listen({ host, port, exclusive: true });
    this.#listeners.set(key, listener);
    return listener;
  }

  #forward(client: Socket, listener: Listener): void {
    const target = listener.targets[listener.next++ % listener.targets.length];
    if (!target) {
      client.destroy();
      return;
    }
    const server = connect(target);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      listener.sockets.add(socket);
      socket.setNoDelay(true);
      // What one side suffers, the other sees as an end: a proxy can say no more. Not by a reset: Node 24 may then never
      // finish closing the handle, and the process spins for ever at its exit.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        listener.sockets.delete(socket);
        other.destroySoon();
      });
      socket.pipe(other);
    }
  }

  #close(key: string): void {
    const listener = this.#listeners.get(key);
    this.#listeners.delete(key);
    listener?.server.close();
    for (const socket of listener?.sockets ?? []) socket.destroy();
  }
}

function targetsOf(endpoints: KubeObject | undefined, { name }: ServicePort): Listener['targets'] {
  const subsets = (endpoints?.['subsets'] ?? []) as EndpointSubset[];
  return subsets.flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find((each) => (each.name ?? '') === (name ?? ''))?.port;
    return port === undefined ? [] : addresses.map(({ ip }) => ({ host: ip, port }));
  });
}
