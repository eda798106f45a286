import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../toolchain/cache.ts';
import { type ProgramPaths, programVariables } from '../toolchain/programs.ts';
import { describeRun, runFolder, takeFolder } from './folder.ts';
import { type ManagedProcess, manageProcess, type ProcessDefinition, type ProcessReport } from './managed.ts';
import { sandbox } from './sandbox.ts';
import { freePort, natsServer, redisServer } from './servers.ts';

export type ServiceName = 'watcher' | 'worker' | 'observer';

export interface StackOptions {
  /** Taken for this run alone; what the last run left in it is removed. */
  dir: string;
  programs: ProgramPaths;
  /** How many workers; 2 by default. */
  workers?: number;
  /** Which services to start; all by default. */
  services?: readonly ServiceName[];
  /**
   * What the processes get. KUBECONFIG, NATS_URL and REDIS_URL in it are used instead of starting our own.
   * By default the environment of this process.
   */
  environment?: Record<string, string | undefined>;
  /** Ports to listen on, where they must be known; free ones by default. */
  ports?: { nats?: number; redis?: number; kube?: number };
  /** What the sandbox offers besides the machine's own programs: `<name>:<version>` → root file system. */
  images?: Record<string, string>;
  /** Told in one line of every process that ended by itself. */
  report?: ProcessReport;
  /** When aborted during the start, everything is stopped and the start fails with the signal's reason. */
  signal?: AbortSignal;
}

/** Everything that makes a running Quorate on this machine. */
export interface Stack {
  kubeconfigPath: string;
  natsUrl: string;
  redisUrl: string;
  dir: string;
  /** In the order of their start: nats-server, redis-server, sandbox, watcher, worker-1, …, observer. */
  processes: readonly ManagedProcess[];
  /** The process of that name; throws where this stack has none. */
  process(name: string): ManagedProcess;
  /** Ends all of it: first the services, then what they use. */
  stop(): Promise<void>;
}

const repository = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Which of the three that the services need are given from outside; a kubeconfig of the folder's own run is not. */
export function givenFromOutside(environment: Record<string, string | undefined>, dir: string) {
  const kubeconfig = environment['KUBECONFIG'];
  // People export what the last run printed; that sandbox is gone, and a new one takes its place.
  const isOurs = kubeconfig !== undefined && resolve(kubeconfig).startsWith(resolve(dir) + sep);
  return {
    kubeconfig: kubeconfig && !isOurs ? kubeconfig : undefined,
    natsUrl: environment['NATS_URL'] || undefined,
    redisUrl: environment['REDIS_URL'] || undefined,
  };
}

/**
 * Starts the servers and the sandbox, all at once, and when they answer, the services. Resolves when every process
 * runs; the services find their own way from there. Throws PROCESS_FAILED or ALREADY_RUNNING, with nothing left behind.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { programs, ports = {}, report = () => {}, signal } = options;
  const environment = options.environment ?? process.env;
  const folder = runFolder(resolve(options.dir));
  const given = givenFromOutside(environment, folder.dir);
  const release = await takeFolder(folder);
  const base = {
    ...environment,
    ...programVariables(programs),
    KUBECONFIG: given.kubeconfig,
    NODE_COMPILE_CACHE: compileCache(),
  };
  const servers: ManagedProcess[] = [];
  const services: ManagedProcess[] = [];
  const logPath = (name: string) => join(folder.logs, `${name}.log`);

  async function startServer(
    define: (port: number) => ProcessDefinition,
    wantedPort: number | undefined,
  ): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const port = wantedPort ?? (await freePort());
      const server = manageProcess(define(port), report);
      servers.push(server);
      try {
        await server.start();
        return port;
      } catch (error) {
        servers.splice(servers.indexOf(server), 1);
        // Somebody may have taken the port between our look and the server's start.
        if (wantedPort !== undefined || attempt === 3 || signal?.aborted) throw error;
      }
    }
  }

  async function startNats(): Promise<string> {
    if (given.natsUrl !== undefined) return given.natsUrl;
    const place = {
      program: need(programs, 'natsServer'),
      dir: folder.nats,
      logPath: logPath('nats-server'),
    };
    const port = await startServer((port) => natsServer({ ...place, port, environment: base }), ports.nats);
    return `nats://127.0.0.1:${port}`;
  }

  async function startRedis(): Promise<string> {
    if (given.redisUrl !== undefined) return given.redisUrl;
    const place = {
      program: need(programs, 'redisServer'),
      dir: folder.redis,
      logPath: logPath('redis-server'),
    };
    const port = await startServer((port) => redisServer({ ...place, port, environment: base }), ports.redis);
    return `redis://127.0.0.1:${port}`;
  }

  async function startKube(): Promise<string> {
    if (given.kubeconfig !== undefined) return given.kubeconfig;
    let kubeconfigPath = '';
    const place = {
      main: join(repository, 'libs/sandbox/main.ts'),
      dir: folder.sandbox,
      logPath: logPath('sandbox'),
      environment: base,
      images: options.images ?? {},
      onReady: (path: string) => {
        kubeconfigPath = resolve(path);
      },
    };
    await mkdir(folder.sandbox, { recursive: true });
    await startServer((port) => sandbox({ ...place, port }), ports.kube);
    return kubeconfigPath;
  }

  async function startAll(): Promise<Omit<Stack, 'stop'>> {
    const [natsUrl, redisUrl, kubeconfigPath] = await Promise.all([startNats(), startRedis(), startKube()]);
    signal?.throwIfAborted();
    const reach = { NATS_URL: natsUrl, REDIS_URL: redisUrl, KUBECONFIG: kubeconfigPath };
    // One for all, so that what stands for a secret is the same in every record of this run.
    const digestKey = environment['QUORATE_DIGEST_KEY'] || randomBytes(32).toString('hex');
    for (const { name, service } of serviceInstances(options.services, options.workers ?? 2)) {
      const definition: ProcessDefinition = {
        name,
        command: [process.execPath, join(repository, 'services', service, 'main.ts')],
        environment: { ...base, ...reach, QUORATE_DIGEST_KEY: digestKey, QUORATE_INSTANCE: name },
        logPath: logPath(name),
        ipc: true,
      };
      services.push(manageProcess(definition, report));
    }
    await Promise.all(services.map((service) => service.start()));
    await describeRun(folder.dir, { kubeconfigPath, natsUrl });
    const processes = [...servers, ...services];
    const byName = (name: string) => {
      const found = processes.find((each) => each.name === name);
      if (found === undefined)
        throw new Error(`no process ${name}: ${processes.map((each) => each.name).join(', ')}`);
      return found;
    };
    return { kubeconfigPath, natsUrl, redisUrl, dir: folder.dir, processes, process: byName };
  }

  async function stop(): Promise<void> {
    // The services first, so that none finds the others gone.
    await Promise.all(services.map((service) => service.stop()));
    await Promise.all(servers.map((server) => server.stop()));
    await release();
  }

  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
  aborted.catch(() => {
    // Only the race below is for hearing it; a stop later on is the caller's.
  });
  try {
    return { ...(await Promise.race([startAll(), aborted])), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface ServiceInstance {
  name: string;
  service: ServiceName;
}

function serviceInstances(
  wanted: readonly ServiceName[] = ['watcher', 'worker', 'observer'],
  workers: number,
): ServiceInstance[] {
  return wanted.flatMap((service): ServiceInstance[] => {
    if (service !== 'worker') return [{ name: service, service }];
    return Array.from({ length: workers }, (_, index) => ({ name: `worker-${index + 1}`, service }));
  });
}

function need(programs: ProgramPaths, name: keyof ProgramPaths): string {
  const path = programs[name];
  if (path === undefined) throw new Error(`the path of ${name} is not given`);
  return path;
}
