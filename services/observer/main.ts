import { connectBus } from '../../libs/bus/bus.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { readConfig, settings } from '../../libs/service/config.ts';
import { runService } from '../../libs/service/run.ts';
import { readDecision, writeDecision } from './observe.ts';

/** The observer: the only one who writes status, conditions and Kubernetes Events, from decision records. */
await runService('observer', async ({ log, signal }) => {
  const config = readConfig(settings);
  const kube = connectKube({ id: config.QUORATE_KUBE });
  const bus = await connectBus({
    url: config.NATS_URL,
    name: `observer ${config.QUORATE_INSTANCE}`,
    log,
    signal,
  });
  log.info({ kube: kube.id, instance: config.QUORATE_INSTANCE }, 'observer started');
  await bus.consumeDecisions({ durable: `observer-${kube.id}`, signal }, async (record) => {
    const decision = readDecision(record);
    if (decision.kube === kube.id) await writeDecision(kube, decision, () => new Date());
  });
  await Promise.all([bus.close(), kube.close()]);
});
