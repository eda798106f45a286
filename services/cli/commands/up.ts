import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { engines } from '../../../libs/engines/index.ts';
import { connectKube } from '../../../libs/kube/client.ts';
import { findMachine } from '../../../libs/sandbox/node/machine.ts';
import { shownUrl } from '../../../libs/service/access.ts';
import { untilServed } from '../follow/clusters.ts';
import { showProgress } from '../follow/progress.ts';
import { runFolder } from '../processes/folder.ts';
import { givenFromOutside, type Stack, startStack } from '../processes/stack.ts';
import { logTo } from '../show/log.ts';
import { paintFor } from '../show/paint.ts';
import { openScreen, type Screen } from '../show/screen.ts';
import { howToReach, thingsToTry } from '../show/things-to-try.ts';
import { ensurePrograms } from '../toolchain/ensure.ts';
import { isOnPath } from '../toolchain/find.ts';
import { type ProgramPaths, programsNeeded, programVariables } from '../toolchain/programs.ts';
import { applyFile } from './apply.ts';

interface UpOptions {
  example?: true;
  file?: string[];
  dir: string;
  workers: number;
  install: boolean;
}

const exampleFile = join(
  dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))),
  'deploy/examples/etcd-cluster.yaml',
);

const help = `
It finds nats-server, redis-server, etcd, etcdctl, bwrap and kubectl: named in the
environment (NATS_SERVER, REDIS_SERVER, ETCD, ETCDCTL, BWRAP, KUBECTL), on PATH, or
brought by npm. What is missing it installs from Debian's packages when it may.

With KUBECONFIG, NATS_URL or REDIS_URL in the environment it uses what they name
instead of starting its own. Ctrl-C stops all that it started.

Examples:
  quorate up --example              start everything and the example cluster
  quorate up --file my-etcd.yaml    start everything and your own cluster
  REDIS_URL=redis://127.0.0.1:6379 quorate up --workers 4`;

export function addUp(program: Command): void {
  program
    .command('up')
    .description('start everything on this machine and keep it running')
    .option('--example', 'apply the example, an etcd cluster of three')
    .option('-f, --file <file>', 'apply this file; may be given more than once', collect)
    .option('--dir <dir>', 'the folder for logs and data of this run', '.quorate')
    .option('--workers <n>', 'how many workers to start', parseCount, 2)
    .option('--no-install', 'install nothing, only list what is missing')
    .addHelpText('after', help)
    .action(up);
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 64)
    throw new InvalidArgumentError('Use a number from 1 to 64.');
  return count;
}

async function up(options: UpOptions): Promise<void> {
  const screen = openScreen(process.stdout);
  const say = (text: string) =>
    screen.line(`[${(performance.now() / 1000).toFixed(1).padStart(5)} s] ${text}`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

  const dir = resolve(options.dir);
  const given = givenFromOutside(process.env, dir);
  const programs = await ensurePrograms(
    programsNeeded({
      kube: given.kubeconfig !== undefined,
      nats: given.natsUrl !== undefined,
      redis: given.redisUrl !== undefined,
    }),
    say,
    options,
  );
  // Tries bubblewrap, so that a machine that forbids it is told before anything is started.
  if (programs.bwrap !== undefined) await findMachine(programVariables(programs));

  let stack: Stack | undefined;
  try {
    stack = await startStack({ dir, programs, workers: options.workers, report: say, signal: stop.signal });
    introduce(stack, given, say, screen);
    await follow(stack, options, programs, { screen, say, signal: stop.signal });
  } catch (error) {
    // Asked to stop in the middle of the start: that is no failure.
    if (!stop.signal.aborted) throw error;
  } finally {
    screen.region([]);
    if (stack !== undefined) {
      say('Stopping');
      await stack.stop();
      say('Everything that was started here is stopped.');
    }
  }
}

function introduce(
  stack: Stack,
  given: ReturnType<typeof givenFromOutside>,
  say: (text: string) => void,
  screen: Screen,
): void {
  const origin = (value: unknown, own: string) => (value === undefined ? own : 'given');
  say(`Kubernetes: ${origin(given.kubeconfig, 'the embedded sandbox')}`);
  say(`NATS: ${shownUrl(stack.natsUrl)} (${origin(given.natsUrl, 'started here')})`);
  say(`Redis: ${shownUrl(stack.redisUrl)} (${origin(given.redisUrl, 'started here')})`);
  say(`Running: ${stack.processes.map(({ name }) => name).join(', ')}; logs in ${runFolder(stack.dir).logs}`);
  screen.line(`KUBECONFIG=${stack.kubeconfigPath}`);
}

/** Applies the files, shows what becomes of them, and goes on showing until asked to stop. */
async function follow(
  stack: Stack,
  options: UpOptions,
  programs: ProgramPaths,
  { screen, say, signal }: { screen: Screen; say: (text: string) => void; signal: AbortSignal },
): Promise<void> {
  const since = new Date();
  const kube = connectKube({
    id: process.env['QUORATE_KUBE'] ?? 'local',
    kubeconfigPath: stack.kubeconfigPath,
  });
  const end = new AbortController();
  try {
    await untilServed(kube, engines, signal);
    const following = AbortSignal.any([signal, end.signal]);
    const view = { screen, say, paint: paintFor(process.stdout), log: logTo(say) };
    const progress = showProgress({
      kube,
      natsUrl: stack.natsUrl,
      engines,
      since,
      signal: following,
      ...view,
    });
    const work = async () => {
      const kubectlPath = programs.kubectl ?? 'kubectl';
      const kubectl = {
        path: kubectlPath,
        kubeconfigPath: stack.kubeconfigPath,
        cacheDir: runFolder(stack.dir).kubectlCache,
      };
      const files = [...(options.example ? [exampleFile] : []), ...(options.file ?? [])];
      const keys: string[] = [];
      for (const file of files) keys.push(...(await applyFile(kubectl, file, engines)));
      for (const key of keys) say(`Applied ${key}`);
      await progress.untilSettled(keys);
      if (signal.aborted) return;
      const place = { path: kubectlPath, onPath: isOnPath(kubectlPath) };
      const tries = options.example ? thingsToTry() : [];
      for (const line of ['', ...howToReach(stack.kubeconfigPath, place), '', ...tries]) screen.line(line);
      say('Running until Ctrl-C.');
    };
    await Promise.all([work(), progress.ended]);
  } finally {
    // A file that was refused ends the following as well as Ctrl-C does.
    end.abort();
    await kube.close();
  }
}
