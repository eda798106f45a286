import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { messageOf } from '../../../libs/errors/catalogue.ts';
import { type Stack, startStack } from '../../../services/cli/processes/stack.ts';
import type { ProgramPaths } from '../../../services/cli/toolchain/programs.ts';
import { createKubectl, type Kubectl } from '../../e2e/bench/kubectl.ts';
import { untilServed } from '../../e2e/stage.ts';
import { beginJournal } from '../hook/journal.ts';
import { type Link, linkTo, openTunnel } from './link.ts';
import { defineWorker, type WorkerProcess } from './workers.ts';

/** What a worker talks to, each over a link of its own. */
export const peers = ['redis', 'nats', 'api', 'members'] as const;
export type Peer = (typeof peers)[number];

/** A worker and its links. */
export interface LinkedWorker extends WorkerProcess {
  readonly links: Record<Peer, Link>;
}

/** A whole Quorate with its sandbox, on which cases run one after the other. */
export interface Lane {
  readonly stack: Stack;
  readonly workers: readonly LinkedWorker[];
  /** Where the workers' hooks find their journal. */
  readonly hookFolder: string;
  readonly programs: ProgramPaths;
  /** A folder of its own. */
  readonly dir: string;
  /** The processes that have ended by themselves, which none ever should, and how. */
  failed(): string[];
  /** Ends everything; what was logged is kept where that is asked for, and its folder returned. */
  stop(keep?: 'logs'): Promise<string>;
}

/** Short, so that a case need not wait long for a dead worker's lock; the periodic resync is a net that should not be needed. */
const timing = { QUORATE_LOCK_MS: '1500', QUORATE_RESYNC_MS: '30000' };

const workerNames = ['worker-1', 'worker-2'];

export async function startLane(programs: ProgramPaths): Promise<Lane> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-faults-'));
  const ends: (() => Promise<unknown>)[] = [];
  const end = async () => {
    for (const each of ends.splice(0).reverse()) await each();
  };
  try {
    const { KUBECONFIG, NATS_URL, REDIS_URL, ...inherited } = process.env;
    const environment = { ...inherited, ...timing, QUORATE_DIGEST_KEY: 'of no secret at all' };
    const ended: string[] = [];
    const stack = await startStack({
      ...{ dir: join(dir, 'run'), programs, environment },
      services: ['watcher', 'observer'],
      report: (line) => ended.push(line),
    });
    ends.push(stack.stop);
    const hookFolder = join(dir, 'hook');
    await mkdir(hookFolder);
    const workers = await Promise.all(
      workerNames.map(async (name): Promise<LinkedWorker> => {
        const links = await openLinks(stack);
        ends.push(() => Promise.all(Object.values(links).map((link) => link.close())));
        const kubeconfigPath = join(dir, `${name}.kubeconfig`);
        await writeKubeconfig(stack.kubeconfigPath, links.api.port, kubeconfigPath);
        const worker = defineWorker({
          name,
          environment: {
            ...environment,
            ...{ KUBECONFIG: kubeconfigPath, QUORATE_INSTANCE: name },
            NATS_URL: `nats://127.0.0.1:${links.nats.port}`,
            REDIS_URL: `redis://127.0.0.1:${links.redis.port}`,
          },
          logPath: join(stack.dir, 'logs', `${name}.log`),
          hook: { folder: hookFolder, tunnelPort: links.members.port },
        });
        ends.push(() => worker.stop('SIGKILL'));
        return Object.defineProperties({ links } as LinkedWorker, Object.getOwnPropertyDescriptors(worker));
      }),
    );
    beginJournal(hookFolder, undefined);
    for (const worker of workers) worker.start();
    await untilServed({ kubectl: createKubectl(programs.kubectl ?? 'kubectl', stack.kubeconfigPath) });
    return {
      ...{ stack, workers, hookFolder, programs, dir },
      failed: () => [
        ...ended.filter((line) => line.includes('(exit code')),
        ...workers.filter((worker) => worker.hasFailed).map(({ name }) => `${name} ended by itself`),
      ],
      async stop(keep) {
        await end();
        if (keep === undefined) await rm(dir, { recursive: true, force: true });
        return join(dir, 'run', 'logs');
      },
    };
  } catch (error) {
    await end();
    throw new Error(`no sandbox: ${messageOf(error)}; logs: ${join(dir, 'run', 'logs')}`, { cause: error });
  }
}

/** Ends every fault: all processes run, all links lead where they should, and the API answers as it should. */
export async function restore({ stack, workers, programs }: Lane): Promise<void> {
  for (const worker of workers) {
    for (const link of Object.values(worker.links)) link.mend();
    worker.signal('SIGCONT');
    if (!worker.isRunning) worker.start();
  }
  for (const process of stack.processes) {
    process.kill('SIGCONT');
    await process.start();
  }
  const kubectl = createKubectl(programs.kubectl ?? 'kubectl', stack.kubeconfigPath);
  await setApiFaults(kubectl, []);
}

/** Replaces the rules by which the API misbehaves (see libs/sandbox/faults.ts). */
export async function setApiFaults(kubectl: Kubectl, rules: object[]): Promise<void> {
  await kubectl.feed('replace', rules, '--raw', '/sandbox/faults');
}

async function openLinks({ redisUrl, natsUrl, kubeconfigPath }: Stack): Promise<LinkedWorker['links']> {
  const server = serverOf(parse(await readFile(kubeconfigPath, 'utf8')) as Kubeconfig);
  const [redis, nats, api, members] = await Promise.all([
    linkTo(targetOf(redisUrl)),
    linkTo(targetOf(natsUrl)),
    linkTo(targetOf(server)),
    openTunnel(),
  ]);
  return { redis, nats, api, members };
}

const targetOf = (url: string) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) });

interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
}

const serverOf = ({ clusters }: Kubeconfig): string => clusters[0]?.cluster.server ?? '';

/** A copy of a kubeconfig that leads to the same API by another port of this machine. */
async function writeKubeconfig(from: string, port: number, path: string): Promise<void> {
  const config = parse(await readFile(from, 'utf8')) as Kubeconfig;
  for (const { cluster } of config.clusters) cluster.server = `https://127.0.0.1:${port}`;
  await writeFile(path, stringify(config), { mode: 0o600 });
}
