import { connectBus } from '../../libs/bus/bus.ts';
import { retentionOf } from '../../libs/bus/retention.ts';
import { serveKubes } from '../../libs/kube/registered/serve.ts';
import { kubesOf } from '../../libs/kube/registered/settings.ts';
import { natsAccess } from '../../libs/service/access.ts';
import { digestKeyOf } from '../../libs/service/digest-key.ts';
import { tellKubes } from '../../libs/service/metrics.ts';
import type { Service } from '../../libs/service/run.ts';
import { changeLag, observedBus } from './metrics.ts';
import type { watcherSettings } from './settings.ts';
import { runWatcher, type WatchedEngine } from './watcher.ts';

/** The watcher: publishes every change of the custom resources, and of what belongs to them, as an event. */
export function watcherService(engines: WatchedEngine[]): Service<typeof watcherSettings> {
  return async ({ config, log, signal, health, metrics, tracing }) => {
    const kubes = kubesOf(config);
    tellKubes(metrics, kubes.present);
    const name = `watcher ${config.QUORATE_INSTANCE}`;
    const connected = await connectBus({
      ...natsAccess(config),
      name,
      streams: retentionOf(config),
      log,
      signal,
    });
    const bus = observedBus(connected, metrics, health);
    const noteLag = changeLag(metrics);
    const digestKey = digestKeyOf(config);
    health.ready({ NATS: bus.connected, 'Kubernetes API': kubes.home.answers });
    try {
      await serveKubes({
        ...{ ...kubes, log, signal },
        serve: (kube, kubeLog, kubeSignal) =>
          runWatcher({
            ...{ kube, bus, engines, digestKey, tracing, log: kubeLog, signal: kubeSignal },
            published: (changed) => noteLag(kube.id, changed),
          }),
      });
    } finally {
      await bus.close();
      await kubes.home.close();
    }
  };
}
