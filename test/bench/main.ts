import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { connectKube } from '../../libs/kube/client.ts';
import { startStack } from '../../services/cli/processes/stack.ts';
import { ensurePrograms } from '../../services/cli/toolchain/ensure.ts';
import { programsNeeded } from '../../services/cli/toolchain/programs.ts';
import { until } from '../wait.ts';
import { measureDelay } from './delay.ts';
import { measureHealing, measureReady } from './members.ts';
import { residentMiB } from './memory.ts';
import { row, summary } from './report.ts';

/** `npm run bench`: how long things take and what they cost, on this machine, in one run. */
const rounds = Number(process.env['ROUNDS'] ?? 5);
const { KUBECONFIG, NATS_URL, REDIS_URL, ...environment } = process.env;
const programs = await ensurePrograms(
  programsNeeded({ kube: false, nats: false, redis: false }),
  console.log,
);
const dir = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
const stack = await startStack({ dir, programs, environment });
const kube = connectKube({ id: 'local', kubeconfigPath: stack.kubeconfigPath });
try {
  console.log(
    `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, two workers`,
  );
  console.log(`${rounds} rounds each; minimum, median, maximum\n`);
  await until('the CRD is installed', () => measureReady(kube, 1).then(Boolean, () => false), 60_000);

  for (const size of [1, 3, 5]) {
    const times = [];
    for (let round = 0; round < rounds; round++) times.push(await measureReady(kube, size));
    console.log(row(`apply → ${size} ready`, summary(times), 'ms'));
  }
  for (const cause of ['process killed', 'pod deleted, with claim', 'pod deleted, no claim'] as const) {
    console.log(row(`${cause} → healed`, summary(await measureHealing(kube, cause, rounds)), 'ms'));
  }
  const delays = await measureDelay({ kube, natsUrl: stack.natsUrl, events: 500, perSecond: 50 });
  console.log(row('event → pass start, p50', [delays.p50], 'ms'));
  console.log(row('event → pass start, p99', [delays.p99], 'ms'));
  console.log(`  (${delays.events} events at ${delays.perSecond} a second over 20 clusters)\n`);
  for (const process of stack.processes) {
    console.log(row(`memory of ${process.name}`, [residentMiB(process.pid)], 'MiB'));
  }
} finally {
  await kube.close();
  await stack.stop();
  await rm(dir, { recursive: true, force: true });
}
