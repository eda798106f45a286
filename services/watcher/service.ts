import { connectBus } from '../../libs/bus/bus.ts';
import { retentionOf } from '../../libs/bus/retention.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { natsAccess } from '../../libs/service/access.ts';
import { digestKeyOf } from '../../libs/service/digest-key.ts';
import type { Service } from '../../libs/service/run.ts';
import { changeLag, observedBus } from './metrics.ts';
import type { watcherSettings } from './settings.ts';
import { runWatcher, type WatchedEngine } from './watcher.ts';

/** The watcher: publishes every change of the custom resources, and of what belongs to them, as an event. */
export function watcherService(engines: WatchedEngine[]): Service<typeof watcherSettings> {
  return async ({ config, log, signal, health, metrics, tracing }) => {
    const kube = connectKube({ id: config.QUORATE_KUBE, namespaces: config.QUORATE_NAMESPACES });
    const name = `watcher ${config.QUORATE_INSTANCE}`;
    const bus = await connectBus({ ...natsAccess(config), name, streams: retentionOf(config), log, signal });
    const digestKey = digestKeyOf(config);
    health.ready({ NATS: bus.connected, 'Kubernetes API': kube.answers });
    try {
      await runWatcher({
        ...{ kube, bus: observedBus(bus, metrics, health), engines, digestKey, tracing, log, signal },
        published: changeLag(metrics, kube.id),
      });
    } finally {
      await bus.close();
      await kube.close();
    }
  };
}
