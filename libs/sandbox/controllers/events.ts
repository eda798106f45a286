import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import { isSameResource, keyOf } from '../api/history.ts';
import type { Store } from '../store.ts';

/** How long after its last write an Event is kept: the API server's `--event-ttl`, which is an hour by default. */
export const eventLifetimeMs = 3_600_000;
/** How often is looked, so an Event may live this much longer. */
export const eventSweepMs = 60_000;

/** Lets Events go an hour after they were last written, as the real API server does. `now` tells the time. */
export function startEvents(store: Store, now: () => Date): () => void {
  /** The longest unwritten comes first. */
  const written = new Map<string, { event: KubeObject; atMs: number }>();
  const unwatch = store.watch(({ type, resource, object }) => {
    if (!isSameResource(resource, resourceTypes.event)) return;
    written.delete(keyOf(object));
    if (type !== 'DELETED') written.set(keyOf(object), { event: object, atMs: now().getTime() });
  });
  const sweep = (): void => {
    const endMs = now().getTime() - eventLifetimeMs;
    for (const { event, atMs } of written.values()) {
      if (atMs > endMs) break;
      store.delete(resourceTypes.event, event.metadata.namespace, event.metadata.name);
    }
  };
  const timer = setInterval(sweep, eventSweepMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    unwatch();
  };
}
