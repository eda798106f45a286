import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../wait.ts';
import type { Cluster } from './clusters.ts';
import { readMetrics, sumOf } from './metrics.ts';
import type { Stand } from './stand.ts';

const drainLimitMs = 600_000;
const keepUpLimitMs = 120_000;

/** How many passes all workers have run since they started. */
async function passCount(stand: Stand): Promise<number> {
  const texts = await Promise.all(stand.workers().map(readMetrics));
  return texts.reduce((sum, text) => sum + sumOf(text, 'quorate_pass_duration_seconds_count'), 0);
}

/** Of very many clusters, so many are being looked at, or have their pass, all the time. */
const fewOf = (clusters: number): number => Math.floor(clusters / 200);

/** Whether hardly a cluster waits for a worker; where not, that is said a moment later. */
async function isQuiet({ tasks }: Stand, clusters: number): Promise<boolean> {
  const { waiting, running } = await tasks.counts();
  const isSo = waiting + running <= fewOf(clusters);
  if (!isSo) await sleep(100);
  return isSo;
}

/** Whether the workers have the time to look at all clusters: where not, ever more of them wait for that. */
export async function keepUp(stand: Stand, clusters: number): Promise<boolean> {
  const endMs = performance.now() + keepUpLimitMs;
  while (performance.now() < endMs) if (await isQuiet(stand, clusters)) return true;
  return false;
}

/** Waits until the clusters have had the passes that they waited for. */
export async function untilQuiet(stand: Stand, clusters: number): Promise<void> {
  await until('hardly a cluster waits for a pass', () => isQuiet(stand, clusters), drainLimitMs);
}

/**
 * Waits until the clusters rest. A pass that an event woke is followed by one by the clock, 10 s later, which confirms what
 * it saw; from then on clusters are looked at, and now and then one has a pass.
 */
export async function untilResting(stand: Stand, clusters: number): Promise<void> {
  const overMs = 12_000;
  const isResting = async () => {
    const before = await passCount(stand);
    await sleep(overMs);
    return (await passCount(stand)) - before <= fewOf(clusters);
  };
  await untilQuiet(stand, clusters);
  await until('hardly a cluster has a pass', isResting, drainLimitMs);
}

/**
 * Passes per second of all workers while more clusters wait than they can take, one cluster after the other; for at
 * least so long and so many passes. A pass finds its cluster as wanted, so it reads and decides, and writes nothing.
 */
export async function measurePasses(
  stand: Stand,
  clusters: readonly Cluster[],
  { atLeastMs, atLeastPasses = 0 }: { atLeastMs: number; atLeastPasses?: number },
): Promise<number> {
  const stop = new AbortController();
  const feeding = keepWaiting(stand, clusters, stop.signal);
  // The first passes of a process are slow.
  await sleep(2000);
  const before = await passCount(stand);
  const startedMs = performance.now();
  const result = await until(
    'the passes are run',
    async () => {
      await sleep(250);
      const passes = (await passCount(stand)) - before;
      const tookMs = performance.now() - startedMs;
      return tookMs >= atLeastMs && passes >= atLeastPasses && (passes * 1000) / tookMs;
    },
    drainLimitMs,
  );
  stop.abort();
  await feeding;
  await untilQuiet(stand, clusters.length);
  return result;
}

/** The most that wait at once, and how many are woken together. */
const enoughWaiting = 400;
const batch = 200;

async function keepWaiting(stand: Stand, clusters: readonly Cluster[], signal: AbortSignal): Promise<void> {
  const enough = Math.min(enoughWaiting, clusters.length / 2);
  for (let next = 0; !signal.aborted; ) {
    const { waiting } = await stand.tasks.counts();
    if (waiting >= enough) await sleep(10);
    else {
      const woken = Array.from({ length: Math.min(batch, clusters.length) }, (_, index) => {
        const { key } = clusters[(next + index) % clusters.length] as Cluster;
        return stand.tasks.wake(key, { eventId: 'resync/bench' });
      });
      next += woken.length;
      // Where a full machine keeps Redis from answering in time, some are not woken: others are.
      await Promise.allSettled(woken);
    }
  }
}
