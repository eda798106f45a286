import type { Kube } from '../../libs/kube/kube.ts';
import { measureLimitReady, openLimit } from './limit.ts';
import { measureReady, openHealing } from './members.ts';
import { row, summary } from './report.ts';

/**
 * Quorate beside the least that Kubernetes itself takes: a plain parallel StatefulSet of the same etcd. The rounds
 * alternate, so that what the machine does meanwhile weighs on both alike.
 */
export async function compareWithLimit(
  kube: Kube,
  rounds: number,
  log: (line: string) => void,
): Promise<void> {
  await side(log, 'apply → 3 ready', 1.2, rounds, {
    ours: () => measureReady(kube, 3),
    limit: () => measureLimitReady(kube),
  });
  const ours = await openHealing(kube, 'pod deleted, with claim');
  const limit = await openLimit(kube);
  await side(log, 'pod deleted → healed', 1.3, rounds, { ours: ours.heal, limit: limit.heal });
  await ours.close();
  await limit.close();
}

async function side(
  log: (line: string) => void,
  title: string,
  wanted: number,
  rounds: number,
  measure: Record<'ours' | 'limit', (round: number) => Promise<number>>,
): Promise<void> {
  const times = { ours: [] as number[], limit: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.limit.push(await measure.limit(round));
    times.ours.push(await measure.ours(round));
  }
  log(row(`${title}, StatefulSet`, summary(times.limit), 'ms'));
  log(row(`${title}, Quorate`, summary(times.ours), 'ms'));
  const median = (values: number[]) => summary(values)[1] ?? Number.NaN;
  const ratio = median(times.ours) / median(times.limit);
  log(
    `${'  ratio of the medians'.padEnd(34)}${ratio.toFixed(2).padStart(16)}    wanted: at most ${wanted}\n`,
  );
}
