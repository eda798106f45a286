import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../../libs/kube/object.ts';
import { isDeletion, versionOf } from './event.ts';

/** What the stream does not tell yet: an object that is there, or the last event of one that is no more. */
export type Missing =
  | { subject: string; type: 'added' | 'modified'; object: KubeObject }
  | { subject: string; type: 'vanished'; last: EventEnvelope };

/**
 * Compares what Kubernetes lists of a kind with the last event of each subject. `last` must be read before the
 * list: what is newer in the stream than in the list would be overwritten by the older state. Deletions come
 * first, so that an object that was replaced under its name ends as the new one.
 */
export function missingEvents(
  listed: ReadonlyMap<string, KubeObject>,
  last: ReadonlyMap<string, EventEnvelope>,
  type: ResourceType,
): Missing[] {
  const vanished: Missing[] = [];
  const present: Missing[] = [];
  for (const [subject, event] of last) {
    if (isDeletion(event) || !isOf(type, event.data)) continue;
    if (listed.get(subject)?.metadata.uid !== event.data.metadata.uid) {
      vanished.push({ subject, type: 'vanished', last: event });
    }
  }
  for (const [subject, object] of listed) {
    const event = last.get(subject);
    const known =
      event !== undefined && !isDeletion(event) && event.data.metadata.uid === object.metadata.uid;
    if (!known) present.push({ subject, type: 'added', object });
    else if (versionOf(event.data) !== versionOf(object)) present.push({ subject, type: 'modified', object });
  }
  return [...vanished, ...present];
}

function isOf(type: ResourceType, object: KubeObject): boolean {
  return object.kind === type.kind && object.apiVersion === apiVersionOf(type);
}
