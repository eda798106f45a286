import { Counter, type Registry } from 'prom-client';
import type { Bus } from '../../libs/bus/bus.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { countDeadLetters, countRedeliveries } from '../../libs/service/metrics.ts';

/** The kube, with what the observer writes to it counted, and what the bus it listens to has to tell. */
export function countingKube(
  kube: Kube,
  registry: Registry,
  bus: Pick<Bus, 'buriedCount' | 'redeliveredCount'>,
): Kube {
  countDeadLetters(registry, bus.buriedCount);
  countRedeliveries(registry, bus.redeliveredCount);
  const writes = new Counter({
    name: 'quorate_status_writes_total',
    help: 'Statuses written to custom resources; a decision that changes nothing writes none',
    registers: [registry],
  });
  return {
    ...kube,
    async patchStatus(...call) {
      const written = await kube.patchStatus(...call);
      writes.inc();
      return written;
    },
  };
}
