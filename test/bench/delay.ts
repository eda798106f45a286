import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { createLog } from '../../libs/service/log.ts';
import { until } from '../wait.ts';
import { etcdCluster, etcdClusters, namespace, remove } from './members.ts';
import { percentile } from './report.ts';

const clusters = 20;

/**
 * From an event, as the watcher stamped it, to the start of the pass that names it among what woke it, in
 * milliseconds. The clusters are paused, so that a pass does nothing but look, and the events are annotations
 * written at a steady pace.
 */
export async function measureDelay(options: {
  kube: Kube;
  natsUrl: string;
  events: number;
  perSecond: number;
}): Promise<{ p50: number; p99: number; events: number; perSecond: number }> {
  const { kube, natsUrl, events, perSecond } = options;
  const stop = new AbortController();
  const bus = await connectBus({ url: natsUrl, name: 'bench', log: createLog('bench'), signal: stop.signal });
  const names = Array.from({ length: clusters }, (_, index) => `delay-${index}`);
  for (const name of names) await kube.create(etcdClusters, etcdCluster(name, { size: 1, paused: true }));
  const since = new Date();
  const startedMs = performance.now();
  for (let index = 0; index < events; index++) {
    const behindMs = (index * 1000) / perSecond - (performance.now() - startedMs);
    if (behindMs > 0) await pause(behindMs);
    const patch = { metadata: { annotations: { 'bench/tick': String(index) } } };
    await kube.patch(etcdClusters, namespace, names[index % clusters] ?? '', patch);
  }
  const tookMs = performance.now() - startedMs;
  const { stamped, begun } = follow(bus, since, stop.signal);
  const delays = () =>
    [...begun].flatMap(([id, begunMs]) => {
      const stampedMs = stamped.get(id);
      return stampedMs === undefined ? [] : [begunMs - stampedMs];
    });
  await until('every event has woken a pass', () => delays().length >= events * 0.99, 30_000);
  for (const name of names) await remove(kube, name);
  stop.abort();
  await bus.close();
  const sorted = delays().sort((a, b) => a - b);
  return {
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    events: sorted.length,
    perSecond: Math.round((events * 1000) / tookMs),
  };
}

/** When each event was stamped, and when the pass that it woke began, as both streams tell it. */
function follow(bus: Bus, since: Date, signal: AbortSignal) {
  const stamped = new Map<string, number>();
  const begun = new Map<string, number>();
  const read = async (stream: 'events' | 'decisions', take: (message: string) => void) => {
    for await (const { payload } of bus.read({ stream, since, follow: true, signal })) take(payload);
  };
  const reading = Promise.all([
    read('events', (text) => {
      const event = JSON.parse(text) as { id: string; time: string };
      stamped.set(event.id, Date.parse(event.time));
    }),
    read('decisions', (text) => {
      const decision = JSON.parse(text) as { wokenBy: string[]; time: string };
      for (const id of decision.wokenBy) begun.set(id, Date.parse(decision.time));
    }),
  ]);
  // A reader that fails leaves the wait above to fail, with what it waited for.
  reading.catch((error: unknown) => console.error(error));
  return { stamped, begun };
}
