import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { connectKube } from '../../libs/kube/client.ts';
import { startStack } from '../../services/cli/processes/stack.ts';
import { ensurePrograms } from '../../services/cli/toolchain/ensure.ts';
import { programsNeeded } from '../../services/cli/toolchain/programs.ts';
import { compareWithLimit } from './compare.ts';
import { measureLoad } from './load/load.ts';
import { withNamespace } from './namespace.ts';
import { measureSandbox } from './sandbox.ts';

/**
 * `npm run bench`: how long things take and what they cost, on this machine, in one run. In the sandbox; or with
 * KUBECONFIG on a real Kubernetes, against the least that the same etcd takes there. QUORATE_IN=cluster where
 * Quorate is installed there already, else it is started on this machine.
 *
 * `npm run bench -- load` measures many clusters and workers instead, always in the sandbox: 100, 1,000 and 10,000
 * clusters with 1, 2, 4 and 8 workers, some 35 minutes. CLUSTERS=1000 WORKERS=1,8 measures only those.
 */
const rounds = Number(process.env['ROUNDS'] ?? 5);
const { KUBECONFIG, NATS_URL, REDIS_URL, ...environment } = process.env;
const log = (line: string) => console.log(line);
const stop: (() => Promise<void>)[] = [];
try {
  log(`${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`);
  if (process.argv[2] === 'load') await load();
  else await members();
} finally {
  for (const each of stop.reverse()) await each();
}

async function load(): Promise<void> {
  const numbers = (name: string, standard: string) => (process.env[name] ?? standard).split(',').map(Number);
  const programs = await ensurePrograms(programsNeeded({ kube: false, nats: false, redis: false }), log);
  const sizes = numbers('CLUSTERS', '100,1000,10000');
  await measureLoad({ programs, sizes, workers: numbers('WORKERS', '1,2,4,8'), log });
}

async function members(): Promise<void> {
  log(`${rounds} rounds each; minimum, median, maximum\n`);
  if (KUBECONFIG && process.env['QUORATE_IN'] === 'cluster') {
    await compare(KUBECONFIG);
  } else {
    const real = KUBECONFIG ? { KUBECONFIG } : {};
    const programs = await ensurePrograms(
      programsNeeded({ kube: KUBECONFIG !== undefined, nats: false, redis: false }),
      log,
    );
    const dir = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
    stop.push(() => rm(dir, { recursive: true, force: true }));
    const stack = await startStack({ dir, programs, environment: { ...environment, ...real } });
    stop.push(() => stack.stop());
    if (KUBECONFIG) await compare(KUBECONFIG);
    else {
      const kube = connectKube({ id: 'local', kubeconfigPath: stack.kubeconfigPath });
      stop.push(() => kube.close());
      await withNamespace(kube, () => measureSandbox({ kube, stack, rounds, log }));
    }
  }
}

async function compare(kubeconfigPath: string): Promise<void> {
  const kube = connectKube({ id: 'local', kubeconfigPath });
  stop.push(() => kube.close());
  await withNamespace(kube, () => compareWithLimit(kube, rounds, log));
}
