import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus } from '../../../libs/bus/bus.ts';
import { createLog } from '../../../libs/service/log.ts';
import { until } from '../../wait.ts';
import { percentile } from '../report.ts';
import type { Cluster } from './clusters.ts';
import { benchmarkType } from './engine/resource.ts';
import { inParallel } from './parallel.ts';
import { untilQuiet } from './passes.ts';
import type { Stand } from './stand.ts';

export interface Delays {
  p50: number;
  p99: number;
  wantedPerSecond: number;
  /** How many events were really made in a second. */
  perSecond: number;
  /** The part of the events that the passes name; a cluster that is woken often names only the last ones. */
  namedShare: number;
}

/** Requests of the generator under way at once; more would only wait in the API. */
const inFlight = 16;
/** How long to wait for records that may not come, since some events are named by none. */
const lastRecordsMs = 10_000;
const annotation = 'bench.quorate.io/tick';

/**
 * From an event, as the watcher stamped it, to the start of the first pass that names it among what woke it, in
 * milliseconds. The events are annotations, written at a steady pace on one cluster after the other; the streams are
 * read when all is over, so that reading them disturbs nothing.
 */
export async function measureDelays(
  stand: Stand,
  clusters: readonly Cluster[],
  { events, perSecond }: { events: number; perSecond: number },
): Promise<Delays> {
  const { kube, natsUrl } = stand;
  const since = new Date();
  const ours = new Set<string>();
  const startedMs = performance.now();
  await inParallel(Array.from({ length: events }).keys(), inFlight, async (index) => {
    const earlyMs = (index * 1000) / perSecond - (performance.now() - startedMs);
    if (earlyMs > 0) await sleep(earlyMs);
    const { namespace, name } = clusters[index % clusters.length] as Cluster;
    const metadata = { annotations: { [annotation]: `${startedMs}/${index}` } };
    const { uid, resourceVersion } = (await kube.patch(benchmarkType, namespace, name, { metadata }))
      .metadata;
    ours.add(`${uid}/${resourceVersion}/modified`);
  });
  const tookMs = performance.now() - startedMs;
  const stop = new AbortController();
  const log = createLog('bench');
  const bus = await connectBus({
    ...{ url: natsUrl, name: 'bench', streams: 'as they are', log, signal: stop.signal },
  });
  const stamped = new Map<string, number>();
  await until('every event is stored', async () => {
    for await (const { payload } of bus.read({ stream: 'events', since, signal: stop.signal })) {
      const { id, time } = JSON.parse(payload) as { id: string; time: string };
      if (ours.has(id)) stamped.set(id, Date.parse(time));
    }
    return stamped.size === ours.size;
  });
  await untilQuiet(stand, clusters.length);
  const delays = new Map<string, number>();
  // The workers may still have to hear of an event, or to send the last records.
  const overMs = performance.now() + lastRecordsMs;
  for (let from = since; delays.size < ours.size && performance.now() < overMs; await sleep(500)) {
    for await (const { payload, time: stored } of bus.read({
      ...{ stream: 'decisions', since: from, signal: stop.signal },
    })) {
      from = stored;
      const { wokenBy, time } = JSON.parse(payload) as { wokenBy: string[]; time: string };
      for (const id of wokenBy) {
        const stampedMs = stamped.get(id);
        if (stampedMs !== undefined && !delays.has(id)) delays.set(id, Date.parse(time) - stampedMs);
      }
    }
  }
  await bus.close();
  const sorted = [...delays.values()].sort((one, other) => one - other);
  return {
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    wantedPerSecond: perSecond,
    perSecond: (events * 1000) / tookMs,
    namedShare: delays.size / events,
  };
}
