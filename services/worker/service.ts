import { connectBus } from '../../libs/bus/bus.ts';
import { retentionOf } from '../../libs/bus/retention.ts';
import type { Engine } from '../../libs/engine/contract.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { connectTasks } from '../../libs/queue/tasks.ts';
import { startWorker } from '../../libs/queue/worker.ts';
import { natsAccess, redisAccess } from '../../libs/service/access.ts';
import { digestKeyOf } from '../../libs/service/digest-key.ts';
import type { Service } from '../../libs/service/run.ts';
import { dispatch } from './dispatch.ts';
import { createLooks } from './look.ts';
import { workerMetrics } from './metrics.ts';
import { openOutbox } from './outbox.ts';
import { reconcile } from './reconcile.ts';
import { resync } from './resync.ts';
import type { workerSettings } from './settings.ts';

/**
 * How long a pass may go on after the process was asked to stop. With what comes before and after it, the process
 * ends within the 30 s that Kubernetes gives a pod.
 */
const finishPassMs = 15_000;

/**
 * The worker: turns events into tasks, and tasks into passes. Any number may run; none keeps anything that
 * another could miss.
 */
export function workerService(engines: Engine[]): Service<typeof workerSettings> {
  return async ({ config, log, signal, health, metrics, tracing }) => {
    const { QUORATE_INSTANCE: instance, QUORATE_LOCK_MS: lockMs } = config;
    const kube = connectKube({ id: config.QUORATE_KUBE, namespaces: config.QUORATE_NAMESPACES });
    const redis = { ...redisAccess(config), kube: kube.id, log };
    const tasks = connectTasks(redis);
    const bus = await connectBus({
      ...natsAccess(config),
      ...{ name: `worker ${instance}`, streams: retentionOf(config), log, signal },
    });
    const outbox = openOutbox(bus, (key) => tasks.wake(key, { eventId: 'resync/record' }), log);
    const observed = workerMetrics(metrics, { kube: kube.id, tasks, bus });
    const periodMs = config.QUORATE_RESYNC_MS;
    const pass = reconcile({
      ...{ kube, engines, worker: instance, digestKey: digestKeyOf(config), tracing, log },
      scope: { namespaces: kube.namespaces, annotatedOnly: config.QUORATE_CLUSTER_WIDE === 'annotated' },
      looks: createLooks({ periodMs, count: observed.look }),
      record(key, decision) {
        observed.pass(decision);
        outbox.send(key, decision);
      },
    });
    const worker = startWorker(
      {
        ...redis,
        concurrency: config.QUORATE_CONCURRENCY,
        lockDurationMs: lockMs,
        stalledIntervalMs: Math.round(lockMs / 2),
        closeTimeoutMs: finishPassMs,
      },
      (task, lock) => health.work(`the pass of ${task.key}`, () => pass(task, lock)),
    );
    observed.cutOff(worker.cutOffCount);
    health.ready({ NATS: bus.connected, Redis: tasks.connected, 'Kubernetes API': kube.answers });
    await Promise.all([
      dispatch({ bus, tasks, engines, kube: kube.id, stored: observed.event, tracing, log, signal }),
      resync({ kube, engines, tasks, periodMs, log, signal }),
    ]);
    await worker.close();
    await outbox.close();
    await Promise.all([tasks.close(), bus.close(), kube.close()]);
  };
}
