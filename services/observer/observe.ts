import type { Engine } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { describeError, isError } from '../../libs/errors/catalogue.ts';
import { resourceTypeOf } from '../../libs/kube/definition.ts';
import { parseKey } from '../../libs/kube/key.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { type KubeObject, resourceTypes } from '../../libs/kube/object.ts';
import { eventsOf } from './events.ts';
import { nextStatus, shareOf, statusPatch, type WrittenStatus } from './status.ts';

/** The most times a status is written again because the resource changed in between. */
const attempts = 10;

/** What the observer writes with and from. */
export interface Writing {
  kube: Kube;
  engines: Engine[];
  /** The decisions about the same cluster that were recorded after this one, as of the call or later. */
  later: () => AsyncIterable<Decision>;
  now: () => Date;
}

/**
 * Writes what a decision says about its resource: status and conditions first, then Events. Writes only to the
 * very resource that the decision was about, and nothing that would change nothing.
 *
 * Any number of observers may do so at once, with the decisions of one cluster in any order and more than once, and
 * still a status never goes back, without a leader or a lock: the resource is read first (a), then the later
 * decisions (b), and what all of them say together is written only over the resource as it was read (c). Say that a
 * later decision's status was written before. If before (a), that decision was recorded by then, so (b) finds it; if
 * after (a), (c) is refused and everything begins again. Nothing is left out either: a later decision that says
 * everything is written by whoever has that one, and each record comes to some observer until it is acknowledged.
 * Later means later in the stream, which is the order of passes, because a pass holds its cluster until its record is
 * stored; where one was late, another pass of the cluster is recorded behind it (services/worker/outbox.ts).
 *
 * Throws as the verbs of the kube do. What was refused may be tried again whenever that is: what is true by then is
 * written. Where a later decision says everything, it succeeds in place of this one, so that of a cluster whose
 * status is refused for long not every decision waits.
 */
export async function writeDecision(writing: Writing, decision: Decision): Promise<void> {
  try {
    await write(writing, decision);
  } catch (error) {
    const isRefused = !describeError(error).retryable;
    if (isRefused && (await standingDecisions(decision, writing.later)).length === 0) return;
    throw error;
  }
}

async function write({ kube, engines, later, now }: Writing, decision: Decision): Promise<void> {
  const key = parseKey(decision.key);
  const engine = engines.find(({ name }) => name === key?.engine);
  if (!key || !engine || !decision.resource) return;
  const type = resourceTypeOf(engine.resource);
  for (let attempt = 1; ; attempt++) {
    const resource = await kube.get(type, key.namespace, key.name);
    if (!resource || resource.metadata.uid !== decision.resource.uid) return;
    const before = (resource['status'] ?? {}) as WrittenStatus;
    const nowIso = `${now().toISOString().slice(0, 19)}Z`;
    const after = nextStatus(before, await standingDecisions(decision, later), nowIso);
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
 * The decision and the later ones about its resource, in their order; none where a later one leaves nothing of it.
 * What says nothing of a status hides nothing: a lost task, a resource of another uid, before or after.
 */
async function standingDecisions(decision: Decision, later: Writing['later']): Promise<Decision[]> {
  if (shareOf(decision) === 'nothing') return [];
  const standing = [decision];
  for await (const next of later()) {
    if (next.resource?.uid !== decision.resource?.uid) continue;
    if (shareOf(next) === 'everything') return [];
    standing.push(next);
  }
  return standing;
}

/**
 * Why an Event may stay unwritten: it was written before the record came a second time; the namespace is going,
 * and nobody will read it; or somebody refuses it, and the status says all that must be known.
 */
const forgoing = [
  'KUBE_EXISTS',
  'KUBE_REFUSED',
  'KUBE_INVALID',
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
