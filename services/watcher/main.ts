import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { connectBus } from '../../libs/bus/bus.ts';
import { engines } from '../../libs/engines/index.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { readConfig, settings } from '../../libs/service/config.ts';
import { runService } from '../../libs/service/run.ts';
import { runWatcher } from './watcher.ts';

const watcherSettings = settings.extend({
  /**
   * Keys the digests of Secrets in events. Without it, every process takes a random one: a change of a Secret
   * still shows within the events of one process, but digests of two processes cannot be compared.
   */
  QUORATE_DIGEST_KEY: z.string().min(16, 'use at least 16 characters').optional(),
});

await runService('watcher', async ({ log, signal }) => {
  const config = readConfig(watcherSettings);
  const kube = connectKube({ id: config.QUORATE_KUBE, namespace: config.QUORATE_NAMESPACE });
  const name = `watcher ${config.QUORATE_INSTANCE}`;
  const bus = await connectBus({ url: config.NATS_URL, name, log, signal });
  const digestKey = config.QUORATE_DIGEST_KEY ?? randomBytes(32).toString('hex');
  try {
    await runWatcher({ kube, bus, engines, digestKey, log, signal });
  } finally {
    await bus.close();
    await kube.close();
  }
});
