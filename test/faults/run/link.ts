import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way of a worker to something it talks to, which can be cut and mended. */
export interface Link {
  readonly port: number;
  /**
   * From now on nothing passes, in either direction, and nobody is told: what is sent waits, connections stay open, and
   * new ones are made but lead nowhere. As where a network loses all packets.
   */
  cut(): void;
  /** What has waited goes on its way. */
  mend(): void;
  close(): Promise<void>;
}

interface Target {
  host: string;
  port: number;
}

/** A link to one server. */
export const linkTo = (target: Target): Promise<Link> => openLink(async () => target);

/** A link to many: each connection says in its first line, `host:port`, where it is meant to go. */
export const openTunnel = (): Promise<Link> => openLink(readTarget);

async function openLink(targetOf: (near: Socket) => Promise<Target | undefined>): Promise<Link> {
  const pairs = new Set<Pair>();
  const open = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => open.delete(socket));
    // Its end tells the other side; what it died of does not matter to whoever is between.
    socket.on('error', () => {});
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    keep(near);
    void targetOf(near).then((target) => {
      if (target === undefined) return near.destroy();
      const far = connect({ ...target, allowHalfOpen: true });
      keep(far);
      const pair = createPair(near, far);
      pairs.add(pair);
      far.once('close', () => pairs.delete(pair));
      if (!isCut) pair.join();
      return undefined;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const pair of pairs) pair.part();
    },
    mend() {
      isCut = false;
      for (const pair of pairs) pair.join();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

interface Pair {
  join(): void;
  part(): void;
}

function createPair(near: Socket, far: Socket): Pair {
  const ways = [createWay(near, far), createWay(far, near)];
  return {
    join() {
      for (const way of ways) way.open();
    },
    part() {
      for (const way of ways) way.close();
    },
  };
}

/** One direction. What is sent while it is closed is kept, also where the sender has gone by the time it is opened. */
function createWay(from: Socket, to: Socket) {
  const held: Buffer[] = [];
  let isOpen = false;
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
    if (isOpen) to.end();
  };
  from.on('data', (chunk: Buffer) => {
    if (isOpen) to.write(chunk);
    else held.push(chunk);
  });
  from.once('end', end);
  from.once('close', end);
  return {
    open() {
      isOpen = true;
      for (const chunk of held.splice(0)) to.write(chunk);
      if (hasEnded) to.end();
    },
    close() {
      isOpen = false;
    },
  };
}

/** The first line of a connection; what follows it stays to be read. */
async function readTarget(near: Socket): Promise<Target | undefined> {
  let head = '';
  for (;;) {
    const byte: Buffer | null = near.read(1);
    if (byte === null) {
      if (near.readableEnded || near.destroyed) return undefined;
      await Promise.race([once(near, 'readable'), once(near, 'end'), once(near, 'close')]);
      continue;
    }
    const letter = byte.toString();
    if (letter === '\n') break;
    head += letter;
  }
  const [, host, port] = /^([\d.]+):(\d+)$/.exec(head) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}
