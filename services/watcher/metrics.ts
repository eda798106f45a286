import { Counter, type Registry } from 'prom-client';
import type { Bus } from '../../libs/bus/bus.ts';
import type { Health } from '../../libs/service/health.ts';
import { countDeadLetters } from '../../libs/service/metrics.ts';

/** The bus, with what the watcher asks of it counted and watched over. */
export function observedBus(bus: Bus, registry: Registry, health: Health): Bus {
  countDeadLetters(registry, bus.buriedCount);
  const published = new Counter({
    name: 'quorate_events_published_total',
    help: 'Events given to NATS, by outcome: stored, or duplicate where another watcher or an earlier try was first',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return {
    ...bus,
    async publishEvent(parts, event) {
      const outcome = await health.work('publishing an event', () => bus.publishEvent(parts, event));
      published.inc({ outcome });
      return outcome;
    },
    lastEvents: (kube) => health.work('reading the last events', () => bus.lastEvents(kube)),
  };
}
