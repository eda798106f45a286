import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { machine } from '../toolchain/find.ts';
import type { ProcessDefinition } from './managed.ts';

/** What starting a server of ours needs to know. It listens on loopback alone. */
export interface ServerPlace {
  program: string;
  port: number;
  /** For its data. */
  dir: string;
  logPath: string;
  environment: Record<string, string | undefined>;
}

/** nats-server with JetStream. */
export function natsServer({ program, port, dir, ...rest }: ServerPlace): ProcessDefinition {
  return {
    name: 'nats-server',
    command: boundToUs([
      program,
      '--addr',
      '127.0.0.1',
      '--port',
      String(port),
      '--jetstream',
      '--store_dir',
      dir,
    ]),
    ready: (_child, ended) => untilGreeted(port, '', 'INFO ', ended),
    ...rest,
  };
}

/** redis-server that stores nothing: what it holds can be built again from the Kubernetes API. */
export function redisServer({ program, port, dir, ...rest }: ServerPlace): ProcessDefinition {
  const storeNothing = ['--save', '', '--appendonly', 'no'];
  return {
    name: 'redis-server',
    command: boundToUs([
      program,
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', dir],
      ...['--protected-mode', 'yes', ...storeNothing],
    ]),
    ready: (_child, ended) => untilGreeted(port, 'PING\r\n', '+PONG', ended),
    ...rest,
  };
}

/** A command that the kernel ends when we end, however that happens (setpriv is part of util-linux). */
function boundToUs(command: [string, ...string[]]): [string, ...string[]] {
  const setpriv = '/usr/bin/setpriv';
  return machine.isProgram(setpriv) ? [setpriv, '--pdeathsig', 'TERM', '--', ...command] : command;
}

const answerTimeoutMs = 15_000;

/** Waits until what listens on the port answers `send` with something that begins with `expect`. */
async function untilGreeted(port: number, send: string, expect: string, ended: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(answerTimeoutMs)]);
  while (!(await greets(port, send, expect))) {
    if (signal.aborted) throw new Error(`no answer on port ${port}`);
    await sleep(10);
  }
  // The answer may be another server's that took the port first, while ours found it taken and is ending.
  if (ended.aborted) throw new Error(`port ${port} is taken`);
}

function greets(port: number, send: string, expect: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(send));
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('data', (data) => finish(data.toString().startsWith(expect)));
    // Nothing listens yet: the caller asks again.
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

/** A port of 127.0.0.1 on which nothing listens at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('the listening socket has no port'));
      });
    });
  });
}
