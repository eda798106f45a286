import { connectBus } from '../../libs/bus/bus.ts';
import { retentionOf } from '../../libs/bus/retention.ts';
import type { Engine } from '../../libs/engine/contract.ts';
import { readDecision } from '../../libs/engine/decision.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { natsAccess } from '../../libs/service/access.ts';
import type { Service } from '../../libs/service/run.ts';
import { countingKube } from './metrics.ts';
import { writeDecision } from './observe.ts';
import type { observerSettings } from './settings.ts';

/** The observer: the only one who writes status, conditions and Kubernetes Events, from decision records. */
export function observerService(engines: Engine[]): Service<typeof observerSettings> {
  return async ({ config, log, signal, health, metrics }) => {
    const kube = connectKube({ id: config.QUORATE_KUBE });
    const name = `observer ${config.QUORATE_INSTANCE}`;
    const bus = await connectBus({ ...natsAccess(config), name, streams: retentionOf(config), log, signal });
    const counting = countingKube(kube, metrics, bus);
    health.ready({ NATS: bus.connected, 'Kubernetes API': kube.answers });
    await bus.consumeDecisions({ durable: `observer-${kube.id}`, signal }, async (record) => {
      const decision = readDecision(record);
      if (decision.kube !== kube.id) return;
      await health.work(`the status of ${decision.key}`, () =>
        writeDecision(counting, engines, decision, () => new Date()),
      );
    });
    await Promise.all([bus.close(), kube.close()]);
  };
}
