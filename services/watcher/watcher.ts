import type { Bus } from '../../libs/bus/bus.ts';
import { messageOf, QuorateError } from '../../libs/errors/catalogue.ts';
import type { WatchableKube } from '../../libs/kube/client.ts';
import { crdOf } from '../../libs/kube/crd.ts';
import { type ResourceDefinition, resourceTypeOf } from '../../libs/kube/definition.ts';
import { installCrds } from '../../libs/kube/install.ts';
import type { KubeObject, ResourceType } from '../../libs/kube/object.ts';
import { pathOf } from '../../libs/kube/path.ts';
import { backoffMs, wait } from '../../libs/service/backoff.ts';
import type { Log } from '../../libs/service/log.ts';
import { createOutage, shareOutage } from '../../libs/service/outage.ts';
import type { Tracing } from '../../libs/service/tracing.ts';
import { createDelivery } from './delivery.ts';
import type { EventContext, WatchedKind } from './event.ts';
import { createFollower, type Follower } from './follower.ts';

/** What the watcher needs to know of an engine. */
export interface WatchedEngine {
  name: string;
  resource: ResourceDefinition;
  owned: ResourceType[];
}

export interface WatcherOptions {
  kube: WatchableKube;
  bus: Bus;
  engines: WatchedEngine[];
  /** Keys the digests of Secrets; two watchers with the same key give the same digests. */
  digestKey: string;
  tracing: Tracing;
  log: Log;
  signal: AbortSignal;
  /** As of `watchObjects`. */
  silenceMs?: number;
  /** The longest time between two comparisons with the stream, in milliseconds. */
  compareMs?: number;
  /** Told of each change that a watch told, when its event is stored; not of what a list showed to be missing. */
  published?: (changed: KubeObject) => void;
}

/**
 * To read the last event of every object takes a second where there are 10,000 clusters. So as long as the stream has not
 * lost a message that can be counted, only every so many comparisons are made: a server that lost its last messages in a
 * crash does not count them.
 */
const mostSkipped = 9;

/**
 * Publishes every change of the engines' custom resources and of what they own, until the signal is aborted.
 * Nothing is remembered between runs: each list is compared with the last event of every object, so what
 * changed or vanished unseen is published as well. Any number of watchers may run at once.
 */
export async function runWatcher(options: WatcherOptions): Promise<void> {
  const { kube, bus, engines, digestKey, tracing, log, silenceMs, published, compareMs = 30_000 } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  await install(kube, engines, log, signal);

  const context: EventContext = {
    kube: kube.id,
    engines: new Set(engines.map(({ name }) => name)),
    digestKey,
  };
  const delivery = createDelivery(bus, kube.id);
  const kinds = watchedKinds(engines);
  const outageOfOne = shareOutage(createOutage(log, 'Kubernetes API', kube.id));
  const places = kube.namespaces?.map((namespace) => ({ namespace })) ?? [{}];
  const followers = kinds.flatMap((kind) =>
    places.map((place) =>
      createFollower({
        ...{ kube, kind, ...place, context, delivery, tracing, log, outage: outageOfOne() },
        ...(silenceMs === undefined ? {} : { silenceMs }),
        ...(published === undefined ? {} : { published }),
      }),
    ),
  );

  let round = new AbortController();
  const listAgain = () => {
    round.abort();
    round = new AbortController();
  };
  const unsubscribe = bus.onRestored(listAgain);

  async function followForEver(follower: Follower): Promise<void> {
    while (!signal.aborted) await follower.follow(AbortSignal.any([signal, round.signal]));
  }

  async function compareForEver(): Promise<void> {
    let removedBefore: number | undefined;
    for (let skipped = 0; !signal.aborted; ) {
      await wait(backoffMs(0, { baseMs: compareMs, capMs: compareMs }), signal);
      if (signal.aborted || !bus.connected()) continue;
      const removed = await delivery.removedCount(signal);
      if (removed === removedBefore && skipped++ < mostSkipped) continue;
      removedBefore = removed;
      skipped = 0;
      const before = followers.map((follower) => new Map(follower.published));
      const last = await delivery.lastEvents(signal);
      const missing = followers.map((follower, index) => follower.miss(before[index] ?? new Map(), last));
      const missingCount = missing.reduce((sum, count) => sum + count, 0);
      if (missingCount === 0) continue;
      log.info({ missingCount }, 'events that were published are not in the stream; publishing them again');
      listAgain();
    }
  }

  log.info({ kinds: kinds.map(({ type }) => type.plural), namespaces: kube.namespaces }, 'watching');
  // One that fails ends them all; each has ended before the caller closes what they use.
  const running = [...followers.map(followForEver), compareForEver()];
  await Promise.all(running.map((task) => task.catch((error) => stop.abort(error))));
  unsubscribe();
  if (!options.signal.aborted) throw stop.signal.reason;
}

/** The kinds to watch, each once: the custom resource of every engine, and all that any engine owns. */
export function watchedKinds(engines: WatchedEngine[]): WatchedKind[] {
  const resources = engines.map(({ name, resource }) => ({ type: resourceTypeOf(resource), engine: name }));
  const owned = new Map(engines.flatMap((engine) => engine.owned).map((type) => [pathOf(type), type]));
  return [...resources, ...[...owned.values()].map((type) => ({ type }))];
}

/** Installs the engines' CustomResourceDefinitions, as soon as the API can be reached. */
async function install(
  kube: WatchableKube,
  engines: WatchedEngine[],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const outage = createOutage(log, 'Kubernetes API', kube.id);
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await installCrds(
        kube,
        engines.map(({ resource }) => crdOf(resource)),
        { log, signal },
      );
      outage.end();
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof QuorateError && error.retryable)) throw error;
      outage.begin(messageOf(error));
      await wait(backoffMs(attempt, { baseMs: 200, capMs: 10_000 }), signal);
    }
  }
}
