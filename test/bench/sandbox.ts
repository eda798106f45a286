import type { Kube } from '../../libs/kube/kube.ts';
import type { Stack } from '../../services/cli/processes/stack.ts';
import { measureDelay } from './delay.ts';
import { measureHealing, measureReady } from './members.ts';
import { residentMiB } from './memory.ts';
import { measureRecording } from './recording.ts';
import { row, summary } from './report.ts';

/** What takes how long in the sandbox, where nothing but Quorate and etcd themselves take time. */
export async function measureSandbox(options: {
  kube: Kube;
  stack: Stack;
  rounds: number;
  log: (line: string) => void;
}): Promise<void> {
  const { kube, stack, rounds, log } = options;
  for (const size of [1, 3, 5]) {
    const times = [];
    for (let round = 0; round < rounds; round++) times.push(await measureReady(kube, size));
    log(row(`apply → ${size} ready`, summary(times), 'ms'));
  }
  for (const cause of ['process killed', 'pod deleted, with claim', 'pod deleted, no claim'] as const) {
    log(row(`${cause} → healed`, summary(await measureHealing(kube, cause, rounds)), 'ms'));
  }
  const delays = await measureDelay({ kube, natsUrl: stack.natsUrl, events: 500, perSecond: 50 });
  log(row('event → pass start, p50', [delays.p50], 'ms'));
  log(row('event → pass start, p99', [delays.p99], 'ms'));
  log(`  (${delays.events} events at ${delays.perSecond} a second over 20 clusters)\n`);
  const recording = await measureRecording({ kube, natsUrl: stack.natsUrl });
  log(row('recording, a day of rest', [recording.bytesPerDay / 1024], 'KiB, wanted: less than 1024'));
  log(
    `${'recording, share of a pass'.padEnd(34)}${recording.sharePercent.toFixed(1).padStart(8)} %, wanted: less than 5\n`,
  );
  for (const process of stack.processes) {
    log(row(`memory of ${process.name}`, [residentMiB(process.pid)], 'MiB'));
  }
}
