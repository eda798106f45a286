import { Counter, type Registry } from 'prom-client';
import type { Kube } from '../../libs/kube/kube.ts';
import { countDeadLetters } from '../../libs/service/metrics.ts';

/** The kube, with what the observer writes to it counted. */
export function countingKube(kube: Kube, registry: Registry, buriedCount: () => number): Kube {
  countDeadLetters(registry, buriedCount);
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
