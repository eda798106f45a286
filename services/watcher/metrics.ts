import { Counter, Histogram, type Registry } from 'prom-client';
import type { Bus } from '../../libs/bus/bus.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import type { Health } from '../../libs/service/health.ts';
import { countDeadLetters, secondsSince } from '../../libs/service/metrics.ts';
import { lastChangeOf } from './event.ts';

/** The bus, with what the watcher asks of it counted and watched over. */
export function observedBus(bus: Bus, registry: Registry, health: Health): Bus {
  countDeadLetters(registry, bus.buriedCount);
  const published = new Counter({
    name: 'quorate_events_published_total',
    help: 'Events given to NATS, by kube and outcome: stored, or duplicate where another watcher or an earlier try was first',
    labelNames: ['kube', 'outcome'],
    registers: [registry],
  });
  return {
    ...bus,
    async publishEvent(parts, event) {
      const outcome = await health.work('publishing an event', () => bus.publishEvent(parts, event));
      published.inc({ kube: parts.kube, outcome });
      return outcome;
    },
    lastEvents: (kube) => health.work('reading the last events', () => bus.lastEvents(kube)),
  };
}

/** What counts how late the events of changes are, each of which it is told when its event is stored. */
export function changeLag(registry: Registry): (kube: string, changed: KubeObject) => void {
  const lag = new Histogram({
    name: 'quorate_change_lag_seconds',
    help: 'How long after Kubernetes had noted a change that the watch told its event was stored; Kubernetes notes whole seconds',
    labelNames: ['kube'],
    buckets: [1, 2, 5, 10, 30, 60, 300],
    registers: [registry],
  });
  return (kube, changed) => {
    const { atMs } = lastChangeOf(changed);
    if (atMs !== undefined) lag.observe({ kube }, secondsSince(atMs));
  };
}
