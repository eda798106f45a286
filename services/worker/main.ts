import { z } from 'zod';
import { connectBus } from '../../libs/bus/bus.ts';
import { engines } from '../../libs/engines/index.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { connectTasks } from '../../libs/queue/tasks.ts';
import { startWorker } from '../../libs/queue/worker.ts';
import { readConfig, redisSettings, settings } from '../../libs/service/config.ts';
import { runService } from '../../libs/service/run.ts';
import { dispatch } from './dispatch.ts';
import { openOutbox } from './outbox.ts';
import { reconcile } from './reconcile.ts';
import { resync } from './resync.ts';

/**
 * The worker: turns events into tasks, and tasks into passes. Any number may run; none keeps anything that
 * another could miss.
 */
const workerSettings = settings.extend({
  ...redisSettings.shape,
  /** How many clusters are worked on at once; passes mostly wait for answers. */
  QUORATE_CONCURRENCY: z.coerce.number().int().min(1).max(1000).default(20),
  /** How long after a worker was last heard of another takes its task over, in milliseconds. */
  QUORATE_LOCK_MS: z.coerce.number().int().min(1000).default(5000),
  /** How often every cluster gets a pass of its own, in milliseconds: the net under lost events. */
  QUORATE_RESYNC_MS: z.coerce.number().int().min(1000).default(30_000),
});

await runService('worker', async ({ log, signal }) => {
  const config = readConfig(workerSettings);
  const kube = connectKube({ id: config.QUORATE_KUBE, namespace: config.QUORATE_NAMESPACE });
  const tasks = connectTasks({ url: config.REDIS_URL, kube: kube.id, log });
  const bus = await connectBus({
    url: config.NATS_URL,
    name: `worker ${config.QUORATE_INSTANCE}`,
    log,
    signal,
  });
  const outbox = openOutbox(bus, log);
  const worker = startWorker(
    {
      url: config.REDIS_URL,
      kube: kube.id,
      concurrency: config.QUORATE_CONCURRENCY,
      lockDurationMs: config.QUORATE_LOCK_MS,
      stalledIntervalMs: Math.round(config.QUORATE_LOCK_MS / 2),
      log,
    },
    reconcile({ kube, engines, outbox, worker: config.QUORATE_INSTANCE, log }),
  );
  log.info({ kube: kube.id, instance: config.QUORATE_INSTANCE }, 'worker started');
  await Promise.all([
    dispatch({ bus, tasks, kube: kube.id, log, signal }),
    resync({ kube, engines, tasks, periodMs: config.QUORATE_RESYNC_MS, log, signal }),
  ]);
  await worker.close();
  await outbox.close();
  await Promise.all([tasks.close(), bus.close(), kube.close()]);
});
