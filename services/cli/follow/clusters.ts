import type { Engine } from '../../../libs/engine/contract.ts';
import { isError, QuorateError } from '../../../libs/errors/catalogue.ts';
import type { WatchableKube } from '../../../libs/kube/client.ts';
import { labels, resourceTypes } from '../../../libs/kube/object.ts';
import { watchObjects } from '../../../libs/kube/watch.ts';
import { wait } from '../../../libs/service/backoff.ts';
import type { Log } from '../../../libs/service/log.ts';
import type { ClusterState } from './state.ts';

const managedPods = { [labels.managedBy]: labels.managedByValue };

/** Keeps the state as the API says, calling `changed` after every change, until the signal is aborted. */
export async function followClusters(
  options: { kube: WatchableKube; engines: readonly Engine[]; log: Log; signal: AbortSignal },
  state: ClusterState,
  changed: () => void,
): Promise<void> {
  const { kube, engines, log, signal } = options;
  const resources = engines.map(async (engine) => {
    const type = typeOf(engine);
    for await (const change of watchObjects({ kube, type, log, signal })) {
      state.resource(engine, change);
      changed();
    }
  });
  const pods = async () => {
    for await (const change of watchObjects({
      kube,
      type: resourceTypes.pod,
      labels: managedPods,
      log,
      signal,
    })) {
      state.pod(change);
      changed();
    }
  };
  await Promise.all([...resources, pods()]);
}

/** Reads the state once; kinds that the API does not serve have no clusters. Throws as `Kube.list` does. */
export async function readClusters(
  kube: WatchableKube,
  engines: readonly Engine[],
  state: ClusterState,
): Promise<void> {
  const resources = engines.map(async (engine) => {
    try {
      state.resource(engine, { type: 'listed', items: (await kube.list(typeOf(engine))).items });
    } catch (error) {
      if (!isNotServed(error)) throw error;
    }
  });
  const pods = kube.list(resourceTypes.pod, { labels: managedPods });
  await Promise.all([...resources, pods]);
  state.pod({ type: 'listed', items: (await pods).items });
}

const servedTimeoutMs = 60_000;

/** Waits until the API serves the kinds of all engines, which the watcher sees to. */
export async function untilServed(
  kube: WatchableKube,
  engines: readonly Engine[],
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = performance.now() + servedTimeoutMs;
  for (const engine of engines) {
    while (!(await isServed(kube, engine, signal))) {
      signal.throwIfAborted();
      if (performance.now() > deadlineMs) {
        throw new QuorateError(
          'KUBE_REFUSED',
          `it does not serve ${engine.resource.plural}.${engine.resource.group}; the watcher's log says why`,
        );
      }
      await wait(25, signal);
    }
  }
}

async function isServed(kube: WatchableKube, engine: Engine, signal: AbortSignal): Promise<boolean> {
  try {
    await kube.list(typeOf(engine), { signal });
    return true;
  } catch (error) {
    if (isNotServed(error) || (error instanceof QuorateError && error.retryable)) return false;
    throw error;
  }
}

const isNotServed = (error: unknown) => isError(error, 'KUBE_REFUSED') && error.fields['status'] === 404;

const typeOf = ({ resource }: Engine) => ({
  group: resource.group,
  version: resource.version,
  kind: resource.kind,
  plural: resource.plural,
  namespaced: true,
});
