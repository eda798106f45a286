import { setTimeout as pause } from 'node:timers/promises';
import { connectBus } from '../../libs/bus/bus.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { createLog } from '../../libs/service/log.ts';
import { until } from '../wait.ts';
import { etcdCluster, etcdClusters, remove } from './members.ts';
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
    await kube.patch(etcdClusters, 'default', names[index % clusters] ?? '', patch);
  }
  const tookMs = performance.now() - startedMs;
  const stamped = new Map<string, number>();
  const delays = new Map<string, number>();
  await until(
    'every event has woken a pass',
    async () => {
      for await (const { payload } of bus.read({
        stream: 'events',
        filter: 'quorate.events.>',
        since,
        signal: stop.signal,
      })) {
        const event = JSON.parse(payload) as { id: string; time: string };
        stamped.set(event.id, Date.parse(event.time));
      }
      for await (const { payload } of bus.read({
        stream: 'decisions',
        filter: 'quorate.decisions.>',
        since,
        signal: stop.signal,
      })) {
        const decision = JSON.parse(payload) as { wokenBy: string[]; time: string };
        for (const id of decision.wokenBy) {
          const stampedMs = stamped.get(id);
          if (stampedMs !== undefined) delays.set(id, Date.parse(decision.time) - stampedMs);
        }
      }
      return delays.size >= events * 0.99;
    },
    30_000,
  );
  for (const name of names) await remove(kube, name);
  stop.abort();
  await bus.close();
  const sorted = [...delays.values()].sort((a, b) => a - b);
  return {
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    events: delays.size,
    perSecond: Math.round((events * 1000) / tookMs),
  };
}
