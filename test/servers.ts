import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../services/cli/processes/servers.ts';
import { endChild, hasEnded } from './child.ts';

/** A real nats-server or redis-server of a test, on loopback and in a directory of its own. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** The running process, e.g. to freeze it with SIGSTOP; it changes with every restart. */
  readonly pid: number;
  /** Ends it in order and removes the directory where this module made it. */
  stop(): Promise<void>;
  /** Ends it as a power cut would; the directory and the port stay its own. */
  kill9(): Promise<void>;
  /** Starts it again (ending it first where it still runs) on the same port, on request with nothing stored. */
  restart(options?: { empty?: boolean }): Promise<void>;
}

interface ServerKind {
  name: string;
  /** Environment variable that names the program. */
  variable: string;
  scheme: string;
  arguments: (port: number, dir: string) => string[];
  /** What to send to a new connection, and how the answer of a server that is ready begins. */
  greeting: { send: string; expect: RegExp };
}

const nats: ServerKind = {
  name: 'nats-server',
  variable: 'NATS_SERVER',
  scheme: 'nats',
  arguments: (port, dir) => ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', dir],
  greeting: { send: '', expect: /^INFO/ },
};

/** Without persistence: a restarted Redis is an empty one, which is the worst that Quorate has to survive. */
const redis: ServerKind = {
  name: 'redis-server',
  variable: 'REDIS_SERVER',
  scheme: 'redis',
  arguments: (port, dir) => [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', dir],
    ...['--save', '', '--appendonly', 'no'],
  ],
  greeting: { send: 'PING\r\n', expect: /^(\+PONG|-NOAUTH)/ },
};

export interface ServerOptions {
  dir?: string;
  port?: number;
  /** More of the program's own, e.g. who is let in. */
  arguments?: string[];
}

/** Starts nats-server with JetStream; on a free port and in a fresh directory unless told otherwise. */
export function startNats(options: ServerOptions = {}): Promise<TestServer> {
  return startServer(nats, options);
}

/** Starts redis-server without persistence; on a free port and in a fresh directory unless told otherwise. */
export function startRedis(options: ServerOptions = {}): Promise<TestServer> {
  return startServer(redis, options);
}

async function startServer(kind: ServerKind, options: ServerOptions): Promise<TestServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), `quorate-${kind.name}-`)));
  let port = options.port ?? (await freePort());
  let child: ChildProcess;
  for (let attempt = 1; ; attempt++) {
    try {
      child = await startProcess(kind, port, dir, options.arguments);
      break;
    } catch (error) {
      // Somebody else may have taken the port between our look and the server's start.
      if (options.port !== undefined || attempt === 5) throw error;
      port = await freePort();
    }
  }
  return {
    url: `${kind.scheme}://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child.pid ?? 0;
    },
    async stop() {
      await endChild(child, 'SIGTERM');
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
    kill9: () => endChild(child, 'SIGKILL'),
    async restart({ empty = false } = {}) {
      await endChild(child, 'SIGTERM');
      if (empty) await rm(dir, { recursive: true, force: true });
      child = await startProcess(kind, port, dir, options.arguments);
    },
  };
}

async function startProcess(
  kind: ServerKind,
  port: number,
  dir: string,
  more: string[] = [],
): Promise<ChildProcess> {
  const program = process.env[kind.variable] ?? find(kind.name);
  if (program === undefined) throw new Error(`${kind.name} is neither in $${kind.variable} nor in PATH`);
  const setpriv = find('setpriv');
  const command = [
    // So that a killed test leaves no server behind.
    ...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--']),
    program,
    ...kind.arguments(port, dir),
    ...more,
  ];
  const child = spawn(command[0] ?? program, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const note = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout?.on('data', note);
  child.stderr?.on('data', note);
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  const deadlineMs = Date.now() + 20_000;
  while (!(await greets(port, kind.greeting))) {
    if (failure !== undefined || hasEnded(child) || Date.now() > deadlineMs) {
      await endChild(child, 'SIGKILL');
      throw new Error(`${kind.name} did not start on port ${port}: ${failure?.message ?? output}`);
    }
    await sleep(20);
  }
  // The answer may have come from another server on that port, while ours found it taken.
  if (hasEnded(child)) throw new Error(`${kind.name} did not start on port ${port}: ${output}`);
  return child;
}

function greets(port: number, greeting: ServerKind['greeting']): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(greeting.send));
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.once('data', (chunk) => finish(greeting.expect.test(chunk.toString())));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

/** Sends one command, e.g. `FLUSHALL`, and returns the answer as Redis wrote it (its RESP protocol). */
export function redisCommand({ url }: Pick<TestServer, 'url'>, command: string): Promise<string> {
  const { hostname, port, password } = new URL(url);
  const login = password === '' ? [] : [`AUTH ${decodeURIComponent(password)}`];
  return new Promise((resolve, reject) => {
    let answer = '';
    // QUIT makes Redis close the connection, which is how we know that the answer is complete.
    const lines = [...login, command, 'QUIT'].map((line) => `${line}\r\n`).join('');
    const socket = connect(Number(port), hostname, () => socket.write(lines));
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.once('error', reject);
    socket.once('close', () => {
      const own = answer.replace(/\+OK\r\n$/, '');
      resolve(login.length > 0 ? own.replace(/^\+OK\r\n/, '') : own);
    });
  });
}

/** Where `program` is in PATH or in the system's folders for servers, which a user's PATH often lacks. */
function find(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        // Not there, or not to be executed: the next folder may have it.
        return false;
      }
    });
}
