import type { Engine } from '../../libs/engine/contract.ts';
import { messageOf } from '../../libs/errors/catalogue.ts';
import { resourceTypeOf } from '../../libs/kube/definition.ts';
import { formatKey } from '../../libs/kube/key.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import type { Tasks } from '../../libs/queue/tasks.ts';
import { wait } from '../../libs/service/backoff.ts';
import type { Log } from '../../libs/service/log.ts';

/**
 * Wakes every cluster once a period, from the Kubernetes API alone: the net under events and tasks that were
 * lost with NATS or Redis. Of all workers one does it each time; the period has some jitter, so that clusters of
 * several kubes do not march in step.
 */
export async function resync(options: {
  kube: Kube;
  engines: Engine[];
  tasks: Tasks;
  periodMs: number;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  const { kube, engines, tasks, periodMs, log, signal } = options;
  while (!signal.aborted) {
    try {
      if (await tasks.claimTurn('resync', periodMs)) await wakeAll(kube, engines, tasks, signal);
    } catch (error) {
      // What is down is logged by whoever found it down; the next turn tries again.
      log.debug({ reason: messageOf(error) }, 'resync postponed');
    }
    await wait(periodMs * (0.2 + 0.1 * Math.random()), signal);
  }
}

async function wakeAll(kube: Kube, engines: Engine[], tasks: Tasks, signal: AbortSignal): Promise<void> {
  for (const engine of engines) {
    const { items } = await kube.list(resourceTypeOf(engine.resource), { signal });
    for (const { metadata } of items) {
      const key = formatKey({
        engine: engine.name,
        namespace: metadata.namespace ?? '',
        name: metadata.name,
      });
      await tasks.wake(key, { eventId: `resync/${metadata.uid}/${metadata.resourceVersion}` });
    }
  }
}
