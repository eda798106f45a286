import { connectBus } from '../../libs/bus/bus.ts';
import { retentionOf } from '../../libs/bus/retention.ts';
import { attributesOf } from '../../libs/engine/attributes.ts';
import type { Engine } from '../../libs/engine/contract.ts';
import { type Decision, readDecision } from '../../libs/engine/decision.ts';
import { isError } from '../../libs/errors/catalogue.ts';
import { serveKubes } from '../../libs/kube/registered/serve.ts';
import { kubesOf } from '../../libs/kube/registered/settings.ts';
import { natsAccess } from '../../libs/service/access.ts';
import { tellKubes } from '../../libs/service/metrics.ts';
import type { Service } from '../../libs/service/run.ts';
import { formatTraceparent } from '../../libs/service/traceparent.ts';
import { type Tracing, traced } from '../../libs/service/tracing.ts';
import { countingKubes } from './metrics.ts';
import { writeDecision } from './observe.ts';
import { tellRefusal } from './refusal.ts';
import type { observerSettings } from './settings.ts';

/**
 * The observer: the only one who writes status, conditions and Kubernetes Events, from decision records. Any number
 * may run.
 */
export function observerService(engines: Engine[]): Service<typeof observerSettings> {
  return async ({ config, log, signal, health, metrics, tracing }) => {
    const kubes = kubesOf(config);
    tellKubes(metrics, kubes.present);
    const name = `observer ${config.QUORATE_INSTANCE}`;
    const bus = await connectBus({ ...natsAccess(config), name, streams: retentionOf(config), log, signal });
    const counting = countingKubes(metrics, bus);
    health.ready({ NATS: bus.connected, 'Kubernetes API': kubes.home.answers });
    await serveKubes({
      ...{ ...kubes, log, signal },
      refused: (refusal) => tellRefusal(kubes.home, refusal, new Date()),
      serve: (kube, _log, kubeSignal) => {
        const counted = counting(kube);
        const consumed = { durable: `observer-${kube.id}`, kube: kube.id, signal: kubeSignal };
        return bus.consumeDecisions(consumed, async (record, meta) => {
          const decision = readDecision(record);
          const later = () => readable(bus.laterRecords(meta));
          await health.work(`the status of ${kube.id}: ${decision.key}`, () =>
            tracedWrite(tracing, decision, () =>
              writeDecision({ kube: counted, engines, later, now: () => new Date() }, decision),
            ),
          );
        });
      },
    });
    await Promise.all([bus.close(), kubes.home.close()]);
  };
}

/** The write of a decision's status as a part of its pass, where that is traced. */
function tracedWrite(tracing: Tracing, decision: Decision, write: () => Promise<void>): Promise<void> {
  const { traceId, spanId } = decision;
  if (spanId === undefined) return write();
  const parent = formatTraceparent({ traceId, spanId, sampled: true });
  return traced(tracing, 'write status', { parent, attributes: attributesOf(decision) }, write);
}

/** What cannot be read is put aside in its own turn. */
async function* readable(records: AsyncIterable<object>): AsyncGenerator<Decision> {
  for await (const record of records) {
    let decision: Decision;
    try {
      decision = readDecision(record);
    } catch (error) {
      if (!isError(error, 'DECISION_UNREADABLE')) throw error;
      continue;
    }
    yield decision;
  }
}
