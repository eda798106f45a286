import type { Engine } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { isError } from '../../libs/errors/catalogue.ts';
import { resourceTypeOf } from '../../libs/kube/definition.ts';
import { parseKey } from '../../libs/kube/key.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { type KubeObject, resourceTypes } from '../../libs/kube/object.ts';
import { eventsOf } from './events.ts';
import { nextStatus, statusPatch, type WrittenStatus } from './status.ts';

/** The most times a status is written again because the resource changed in between. */
const attempts = 10;

/**
 * Writes what a decision says about its resource: status and conditions first, then Events. Writes only to the
 * very resource that the decision was about, and nothing that would change nothing.
 */
export async function writeDecision(
  kube: Kube,
  engines: Engine[],
  decision: Decision,
  now: () => Date,
): Promise<void> {
  const key = parseKey(decision.key);
  const engine = engines.find(({ name }) => name === key?.engine);
  if (!key || !engine || !decision.resource) return;
  const type = resourceTypeOf(engine.resource);
  for (let attempt = 1; ; attempt++) {
    const resource = await kube.get(type, key.namespace, key.name);
    if (!resource || resource.metadata.uid !== decision.resource.uid) return;
    const before = (resource['status'] ?? {}) as WrittenStatus;
    const nowIso = `${now().toISOString().slice(0, 19)}Z`;
    const after = nextStatus(before, decision, nowIso);
    try {
      if (after) {
        const { uid, resourceVersion } = resource.metadata;
        await kube.patchStatus(type, key.namespace, key.name, {
          metadata: { uid, resourceVersion },
          status: statusPatch(before, after),
        });
      }
      await writeEvents(kube, eventsOf(decision, resource, before, after));
      return;
    } catch (error) {
      if (!isError(error, 'KUBE_CONFLICT') || attempt >= attempts) throw error;
    }
  }
}

/**
 * Why an Event may stay unwritten: it was written before the record came a second time; the namespace is going,
 * and nobody will read it; or somebody refuses it, and the status says all that must be known.
 */
const forgoing = [
  'KUBE_EXISTS',
  'KUBE_REFUSED',
  'KUBE_QUOTA_EXCEEDED',
  'KUBE_ADMISSION_REFUSED',
  'KUBE_WEBHOOK_FAILED',
] as const;

async function writeEvents(kube: Kube, events: KubeObject[]): Promise<void> {
  for (const event of events) {
    try {
      await kube.create(resourceTypes.event, event);
    } catch (error) {
      if (!forgoing.some((code) => isError(error, code))) throw error;
    }
  }
}
