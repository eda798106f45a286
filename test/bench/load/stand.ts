import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectKube } from '../../../libs/kube/client.ts';
import type { Kube } from '../../../libs/kube/kube.ts';
import { connectTasks, type Tasks } from '../../../libs/queue/tasks.ts';
import { createLog } from '../../../libs/service/log.ts';
import { runFolder } from '../../../services/cli/processes/folder.ts';
import { type ManagedProcess, manageProcess } from '../../../services/cli/processes/managed.ts';
import { freePort } from '../../../services/cli/processes/servers.ts';
import { startStack } from '../../../services/cli/processes/stack.ts';
import { compileCache } from '../../../services/cli/toolchain/cache.ts';
import type { ProgramPaths } from '../../../services/cli/toolchain/programs.ts';
import { until } from '../../wait.ts';

/** A whole Quorate with the engine of the benchmark, each part a process of its own, and a node that is played. */
export interface Stand {
  kube: Kube;
  tasks: Tasks;
  natsUrl: string;
  redisUrl: string;
  kubeconfigPath: string;
  /** Where the members answer: `<membersUrl>/<name>`. */
  membersUrl: string;
  /** From now on, the members of the first so many clusters answer after so long, and all others at once. */
  membersAnswerAfter(milliseconds: number, count: number): Promise<void>;
  /** Ends the workers that run, in order, and starts so many new ones; resolves when they are ready. */
  startWorkers(count: number, settings?: Record<string, string>): Promise<void>;
  workers(): readonly Service[];
  /** Everything that runs, in the order of its start. */
  processes(): readonly ManagedProcess[];
  stop(): Promise<void>;
}

export type Service = ManagedProcess & { httpPort: number };

const here = fileURLToPath(new URL('.', import.meta.url));
const startLimitMs = 120_000;

/** The heap that Node has in a pod of 512 MiB, as the chart makes them; on a large machine it takes far more. */
const heapOfPod = '--max-old-space-size=256 --max-semi-space-size=16';

export async function startStand(options: { dir: string; programs: ProgramPaths }): Promise<Stand> {
  const { KUBECONFIG: _kubeconfig, NATS_URL: _nats, REDIS_URL: _redis, ...environment } = process.env;
  const stack = await startStack({ ...options, environment, services: [] });
  const { kubeconfigPath, natsUrl, redisUrl } = stack;
  const { logs } = runFolder(stack.dir);
  const base = {
    ...environment,
    KUBECONFIG: kubeconfigPath,
    NATS_URL: natsUrl,
    REDIS_URL: redisUrl,
    QUORATE_DIGEST_KEY: randomBytes(32).toString('hex'),
    // What Quorate can do is measured here, and not what it keeps to out of consideration for others.
    QUORATE_KUBE_REQUESTS_PER_SECOND: '100000',
    QUORATE_KUBE_BURST: '100000',
    NODE_COMPILE_CACHE: compileCache(),
    NODE_OPTIONS: [environment['NODE_OPTIONS'], heapOfPod].filter(Boolean).join(' '),
  };

  async function start(name: string, main: string, settings: Record<string, string> = {}): Promise<Service> {
    const httpPort = await freePort();
    const own = { PORT: String(httpPort), QUORATE_HTTP_PORT: String(httpPort), QUORATE_INSTANCE: name };
    const service = manageProcess(
      {
        name,
        command: [process.execPath, join(here, 'processes', main)],
        environment: { ...base, ...own, ...settings },
        logPath: join(logs, `${name}.log`),
        ipc: true,
      },
      console.error,
    );
    await service.start();
    const isReady = () =>
      fetch(`http://127.0.0.1:${httpPort}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(`${name} is ready`, isReady, startLimitMs);
    return Object.assign(service, { httpPort });
  }

  const members = await start('members', 'members.ts');
  const services = [await start('watcher', 'watcher.ts'), await start('observer', 'observer.ts')];
  let workers: Service[] = [];
  const kube = connectKube({ id: 'local', kubeconfigPath });
  const tasks = connectTasks({
    ...{ url: redisUrl, kube: kube.id, log: createLog('bench') },
    // A full machine may keep Redis from answering for seconds.
    answerTimeoutMs: 30_000,
  });
  const membersUrl = `http://127.0.0.1:${members.httpPort}`;

  const stopWorkers = () => Promise.all(workers.map((worker) => worker.stop()));
  return {
    ...{ kube, tasks, natsUrl, redisUrl, kubeconfigPath },
    membersUrl: `${membersUrl}/members`,
    async membersAnswerAfter(milliseconds, count) {
      await fetch(`${membersUrl}/answer-after/${milliseconds}/${count}`, { method: 'PUT' });
    },
    async startWorkers(count, settings) {
      await stopWorkers();
      const names = Array.from({ length: count }, (_, index) => `worker-${index + 1}`);
      workers = await Promise.all(names.map((name) => start(name, 'worker.ts', settings)));
    },
    workers: () => workers,
    processes: () => [...stack.processes, members, ...services, ...workers],
    async stop() {
      await stopWorkers();
      await Promise.all([...services, members].map((service) => service.stop()));
      await Promise.all([tasks.close(), kube.close()]);
      await stack.stop();
    },
  };
}
