import { loadavg } from 'node:os';
import { residentMiB } from '../memory.ts';
import { type Cluster, clusterOf } from './clusters.ts';
import { connectionsTo, cpuSeconds } from './costs.ts';
import { type Delays, measureDelays } from './delay.ts';
import { keepUp, measurePasses, untilResting } from './passes.ts';
import { measureIdleRequests } from './requests.ts';
import type { Stand } from './stand.ts';

/** What is measured for so many clusters and workers. */
export interface Round {
  clusters: number;
  workers: number;
  passesPerSecond: number;
  /** Where each waits for its member, and a worker has but a few at once; of few clusters only. */
  waitingPassesPerSecond: number | undefined;
  /** For each rate of events. */
  delays: Delays[];
  /** Processor time that one event of the highest rate took with all that came of it, in milliseconds, by part. */
  cpuMs: Map<string, number>;
  idleRequests: number;
  /** In MiB, by process; of the workers the largest. */
  memory: Map<string, number>;
  connections: { redis: number; nats: number };
  load: number;
}

export interface RoundOptions {
  clusters: number;
  workers: number;
  /** The rates of events, growing, and for how long each. */
  eventsPerSecond: readonly number[];
  eventsMs: number;
  passesMs: number;
  idleMs: number;
}

/** How long a member takes to answer where passes wait for it, and how many passes a worker then has at once. */
export const waiting = { answerMs: 200, concurrency: 2 };
/** So many clusters have slow members: enough for all workers, and few enough that none comes to rest meanwhile. */
const slowClusters = 48;
/** With more, looks at all the others take the few places of a worker, which wait, too. */
const mostForWaiting = 100;

/**
 * One after the other, with new workers, so that no measure disturbs another. `undefined` where so many clusters are more
 * than so few workers can look at.
 */
export async function measureRound(
  stand: Stand,
  options: RoundOptions,
  progress: (line: string) => void,
): Promise<Round | undefined> {
  const { clusters: count, workers, eventsPerSecond, eventsMs, passesMs, idleMs } = options;
  const clusters = Array.from({ length: count }, (_, index) => clusterOf(index));

  progress('passes that wait for a member');
  const isMeasured = count <= mostForWaiting;
  const waitingPassesPerSecond = isMeasured
    ? await measureWaiting(stand, clusters, workers, passesMs)
    : undefined;

  progress('passes');
  await stand.startWorkers(workers);
  if (!(await keepUp(stand, count))) return undefined;
  // Each cluster has one, so that whatever a worker keeps of a cluster, it keeps.
  const passesPerSecond = await measurePasses(stand, clusters, {
    atLeastMs: passesMs,
    atLeastPasses: count,
  });

  const delays: Delays[] = [];
  let cpuMs = new Map<string, number>();
  for (const perSecond of eventsPerSecond) {
    progress(`${perSecond} events a second`);
    await untilResting(stand, count);
    const events = Math.round((perSecond * eventsMs) / 1000);
    const before = cpuOf(stand);
    delays.push(await measureDelays(stand, clusters, { events, perSecond }));
    const used = (name: string, seconds: number) => seconds - (before.get(name) ?? 0);
    cpuMs = new Map([...cpuOf(stand)].map(([name, all]) => [name, (used(name, all) * 1000) / events]));
  }

  progress('clusters at rest');
  const idleRequests = await measureIdleRequests(stand, { clusters: count, overMs: idleMs });
  const pids = stand.workers().map(({ pid }) => pid);
  return {
    ...{ clusters: count, workers, passesPerSecond, waitingPassesPerSecond, delays, cpuMs, idleRequests },
    memory: memoryOf(stand),
    connections: {
      redis: connectionsTo(stand.redisUrl, pids),
      nats: connectionsTo(stand.natsUrl, pids),
    },
    load: loadavg()[0] ?? Number.NaN,
  };
}

async function measureWaiting(
  stand: Stand,
  clusters: readonly Cluster[],
  workers: number,
  atLeastMs: number,
): Promise<number> {
  await stand.startWorkers(workers, { QUORATE_CONCURRENCY: String(waiting.concurrency) });
  await stand.membersAnswerAfter(waiting.answerMs, slowClusters);
  const perSecond = await measurePasses(stand, clusters.slice(0, slowClusters), { atLeastMs });
  await stand.membersAnswerAfter(0, 0);
  return perSecond;
}

const partOf = (process: string): string => process.replace(/-\d+$/, '');

/** In seconds, by part; of the workers all together. */
function cpuOf(stand: Stand): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const { name, pid } of stand.processes()) {
    seconds.set(partOf(name), (seconds.get(partOf(name)) ?? 0) + cpuSeconds(pid));
  }
  seconds.set('bench', cpuSeconds(process.pid));
  return seconds;
}

function memoryOf(stand: Stand): Map<string, number> {
  const memory = new Map<string, number>();
  for (const { name, pid } of stand.processes()) {
    memory.set(partOf(name), Math.max(memory.get(partOf(name)) ?? 0, residentMiB(pid)));
  }
  return memory;
}
