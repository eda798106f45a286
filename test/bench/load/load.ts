import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramPaths } from '../../../services/cli/toolchain/programs.ts';
import { createClusters } from './clusters.ts';
import { measureRound, type Round } from './round.ts';
import { startStand } from './stand.ts';
import { growthOf, tableOf } from './table.ts';

export interface LoadOptions {
  programs: ProgramPaths;
  /** Numbers of clusters, growing. */
  sizes: readonly number[];
  /** Numbers of workers. */
  workers: readonly number[];
  log: (line: string) => void;
}

const measured = { eventsPerSecond: [100, 500], eventsMs: 10_000, passesMs: 8000, idleMs: 30_000 };
/** While clusters are made. */
const makers = 2;

/** Many clusters, more and more of them, each number with more and more workers. */
export async function measureLoad({ programs, sizes, workers, log }: LoadOptions): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-load-'));
  const stand = await startStand({ dir, programs });
  const rounds: Round[] = [];
  try {
    let first = 0;
    for (const clusters of sizes) {
      await stand.startWorkers(makers);
      await createClusters(stand, { first, end: clusters }, progress);
      first = clusters;
      const ofSize: Round[] = [];
      for (const count of workers) {
        const show = (what: string) => progress(`${clusters} clusters, ${count} workers: ${what}`);
        const round = await measureRound(stand, { clusters, workers: count, ...measured }, show);
        if (round) ofSize.push(round);
        else log(`${clusters} clusters are more than ${count} of the workers can look at on this machine\n`);
      }
      progress('');
      for (const line of tableOf(ofSize)) log(line);
      log('');
      rounds.push(...ofSize);
    }
    for (const line of growthOf(rounds)) log(line);
  } finally {
    progress('');
    await stand.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** What is being done, in one line of the terminal that the next one overwrites; files get none of it. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
