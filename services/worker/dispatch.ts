import type { Bus } from '../../libs/bus/bus.ts';
import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import type { Engine } from '../../libs/engine/contract.ts';
import { formatKey } from '../../libs/kube/key.ts';
import type { Tasks } from '../../libs/queue/tasks.ts';
import type { Log } from '../../libs/service/log.ts';
import { type Tracing, traced } from '../../libs/service/tracing.ts';

/**
 * Turns every event into a wake of its cluster's task. All workers share the events. An event is acknowledged
 * when the task is stored; while Redis is away events stay on the bus.
 */
export async function dispatch(options: {
  bus: Bus;
  tasks: Tasks;
  engines: Engine[];
  kube: string;
  /** Told of each event whose task is stored. */
  stored: (event: EventEnvelope) => void;
  tracing: Tracing;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  const { bus, tasks, engines, kube, stored, tracing, log, signal } = options;
  await bus.consumeEvents({ durable: `dispatch-${kube}`, kube, signal }, async (event, { parts }) => {
    if (!engines.some(({ name }) => name === parts.engine)) {
      log.debug({ engine: parts.engine, event: event.id }, 'event of an engine this worker does not know');
      return;
    }
    const key = formatKey({ engine: parts.engine, namespace: parts.namespace, name: parts.cluster });
    const attributes = { 'quorate.kube': kube, 'quorate.key': key, 'quorate.engine': parts.engine };
    await traced(tracing, 'dispatch', { parent: event.traceparent, attributes }, (traceparent) =>
      tasks.wake(key, { eventId: event.id, traceparent }),
    );
    stored(event);
  });
}
