import { connectBus } from '../../libs/bus/bus.ts';
import { retentionOf } from '../../libs/bus/retention.ts';
import type { Engine } from '../../libs/engine/contract.ts';
import type { WatchableKube } from '../../libs/kube/client.ts';
import { serveKubes } from '../../libs/kube/registered/serve.ts';
import { kubesOf } from '../../libs/kube/registered/settings.ts';
import { connectTasks } from '../../libs/queue/tasks.ts';
import { startWorker } from '../../libs/queue/worker.ts';
import { natsAccess, redisAccess } from '../../libs/service/access.ts';
import { digestKeyOf } from '../../libs/service/digest-key.ts';
import type { Log } from '../../libs/service/log.ts';
import { tellKubes } from '../../libs/service/metrics.ts';
import { createOutage, shareOutage } from '../../libs/service/outage.ts';
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
 * another could miss. Each kube has its own queue, connections and places for passes.
 */
export function workerService(engines: Engine[]): Service<typeof workerSettings> {
  return async ({ config, log, signal, health, metrics, tracing }) => {
    const { QUORATE_INSTANCE: instance, QUORATE_LOCK_MS: lockMs, QUORATE_RESYNC_MS: periodMs } = config;
    const kubes = kubesOf(config);
    tellKubes(metrics, kubes.present);
    const bus = await connectBus({
      ...natsAccess(config),
      ...{ name: `worker ${instance}`, streams: retentionOf(config), log, signal },
    });
    const observed = workerMetrics(metrics, bus);
    const digestKey = digestKeyOf(config);
    const access = redisAccess(config);
    const outage = shareOutage(createOutage(log, 'Redis', access.url));

    async function serve(kube: WatchableKube, kubeLog: Log, kubeSignal: AbortSignal): Promise<void> {
      const redis = { ...access, kube: kube.id, log: kubeLog };
      // Closed in reverse order, also where something after it cannot be opened.
      await using opened = new AsyncDisposableStack();
      const redisOutage = opened.adopt(outage(), (each) => each.end());
      const tasks = opened.adopt(connectTasks(redis), (each) => each.close());
      const wake = (key: string) => tasks.wake(key, { eventId: 'record/late' });
      const outbox = opened.adopt(openOutbox(bus, wake, kubeLog), (each) => each.close());
      const counts = opened.adopt(observed(kube.id, tasks), (each) => each.end());
      const pass = reconcile({
        ...{ kube, engines, worker: instance, digestKey, tracing, log: kubeLog },
        scope: { namespaces: kube.namespaces, annotatedOnly: config.QUORATE_CLUSTER_WIDE === 'annotated' },
        looks: createLooks({ periodMs, count: counts.look }),
        record(key, decision, signal) {
          counts.pass(decision);
          return outbox.send(key, decision, signal);
        },
      });
      const worker = opened.adopt(
        startWorker(
          {
            ...redis,
            outage: redisOutage,
            concurrency: config.QUORATE_CONCURRENCY,
            lockDurationMs: lockMs,
            stalledIntervalMs: Math.round(lockMs / 2),
            closeTimeoutMs: finishPassMs,
          },
          (task, lock) => health.work(`the pass of ${kube.id}: ${task.key}`, () => pass(task, lock)),
        ),
        (each) => each.close(),
      );
      counts.cutOff(worker.cutOffCount);
      if (kube === kubes.home)
        health.ready({ NATS: bus.connected, Redis: tasks.connected, 'Kubernetes API': kube.answers });
      await Promise.all([
        dispatch({
          ...{ bus, tasks, engines, kube: kube.id, stored: counts.event, tracing },
          ...{ log: kubeLog, signal: kubeSignal },
        }),
        resync({ kube, engines, tasks, periodMs, log: kubeLog, signal: kubeSignal }),
      ]);
    }

    await serveKubes({ ...kubes, serve, log, signal });
    await Promise.all([bus.close(), kubes.home.close()]);
  };
}
