import { parseEventSubject } from '../../../libs/bus/subjects.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { formatKey } from '../../../libs/kube/key.ts';

/** The cluster that an entry is about: `<engine>/<namespace>/<name>`. */
export function keyOf(entry: RecordingEntry): string | undefined {
  if ('decision' in entry) return entry.decision.key;
  return 'repeat' in entry ? entry.repeat.key : keyOfSubject(entry.event.subject);
}

/** The same from the subject of an event. */
export function keyOfSubject(subject: string): string | undefined {
  const parts = parseEventSubject(subject);
  return parts && formatKey({ engine: parts.engine, namespace: parts.namespace, name: parts.cluster });
}
