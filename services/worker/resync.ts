import type { Engine } from '../../libs/engine/contract.ts';
import { messageOf } from '../../libs/errors/catalogue.ts';
import { resourceTypeOf } from '../../libs/kube/definition.ts';
import { formatKey } from '../../libs/kube/key.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import type { Tasks } from '../../libs/queue/tasks.ts';
import { backoffMs, wait } from '../../libs/service/backoff.ts';
import type { Log } from '../../libs/service/log.ts';

/** How often to ask whether Redis has lost what was due, in milliseconds. It costs two small requests to Redis. */
const askEveryMs = 5000;

/**
 * The net under events and tasks that were lost, from the Kubernetes API alone, in one list for all clusters. Of all
 * workers one does it each time. Every cluster is woken at once when Redis is new, has lost its data or was started
 * again. Otherwise, once a period, each cluster that has no task gets one; those that have one look after themselves.
 */
export async function resync(options: {
  kube: Kube;
  engines: Engine[];
  tasks: Tasks;
  periodMs: number;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  const { kube, engines, tasks, periodMs, log, signal } = options;
  while (!signal.aborted) {
    try {
      await tasks.takeTurn('resync', periodMs, async (turn) => {
        for (const { key, version } of await clustersOf(kube, engines, signal)) {
          if (turn === 'first') await tasks.wake(key, { eventId: `resync/${version}` });
          else await tasks.ensure(key);
        }
      });
    } catch (error) {
      // What is down is logged by whoever found it down; the turn is due again the next time.
      log.debug({ reason: messageOf(error) }, 'resync postponed');
    }
    await wait(backoffMs(0, { baseMs: askEveryMs, capMs: askEveryMs }), signal);
  }
}

async function clustersOf(kube: Kube, engines: Engine[], signal: AbortSignal) {
  const clusters: { key: string; version: string }[] = [];
  for (const engine of engines) {
    const { items } = await kube.list(resourceTypeOf(engine.resource), { signal });
    for (const { metadata } of items) {
      const { namespace = '', name, uid, resourceVersion } = metadata;
      const key = formatKey({ engine: engine.name, namespace, name });
      clusters.push({ key, version: `${uid}/${resourceVersion}` });
    }
  }
  return clusters;
}
