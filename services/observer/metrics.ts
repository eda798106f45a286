import { Counter, type Registry } from 'prom-client';
import type { Bus } from '../../libs/bus/bus.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { countDeadLetters, countRedeliveries } from '../../libs/service/metrics.ts';

/** What makes of a kube one whose writes are counted; and the metrics of the bus that the observer listens to. */
export function countingKubes(
  registry: Registry,
  bus: Pick<Bus, 'buriedCount' | 'redeliveredCount'>,
): (kube: Kube) => Kube {
  countDeadLetters(registry, bus.buriedCount);
  countRedeliveries(registry, bus.redeliveredCount);
  const writes = new Counter({
    name: 'quorate_status_writes_total',
    help: 'Statuses written to custom resources, by kube; a decision that changes nothing writes none',
    labelNames: ['kube'],
    registers: [registry],
  });
  return (kube) => ({
    ...kube,
    async patchStatus(...call) {
      const written = await kube.patchStatus(...call);
      writes.inc({ kube: kube.id });
      return written;
    },
  });
}
