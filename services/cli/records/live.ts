import type { Bus } from '../../../libs/bus/bus.ts';
import type { ReadMessage } from '../../../libs/bus/read.ts';
import { decisionFilter, eventFilter, redeliveredFilter, repeatFilter } from '../../../libs/bus/subjects.ts';
import { readDecision } from '../../../libs/engine/decision.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { repeatSchema } from '../../../libs/engine/repeat.ts';
import { isError } from '../../../libs/errors/catalogue.ts';
import type { ClusterKey } from '../../../libs/kube/key.ts';

/** What the bus keeps of one cluster, or of all clusters of a kube. */
export interface RecordsWanted {
  kube: string;
  key?: ClusterKey;
  /** Only what was stored from then on; what is left out here is read from the oldest on. */
  since?: { events?: Date; decisions?: Date };
  signal: AbortSignal;
}

/** Entries of a stream as they are stored, one kind after the other. What cannot be read is in DEAD, with the reason. */
export async function readRecords(bus: Bus, wanted: RecordsWanted): Promise<RecordingEntry[]> {
  const read = sourcesOf(wanted).map(async (source) => {
    const entries: RecordingEntry[] = [];
    for await (const message of bus.read({ ...source, signal: wanted.signal }))
      entries.push(...entryOf(message));
    return entries;
  });
  return (await Promise.all(read)).flat();
}

/** Hands on every entry that is stored from `from` on, as it comes, until the signal is aborted. */
export async function followRecords(
  bus: Bus,
  wanted: RecordsWanted,
  from: Date,
  handle: (entry: RecordingEntry) => void,
): Promise<void> {
  const { signal } = wanted;
  const follow = sourcesOf(wanted).map(async ({ stream, filter }) => {
    for await (const message of bus.read({ stream, filter, since: from, follow: true, signal }))
      for (const entry of entryOf(message)) handle(entry);
  });
  await Promise.all(follow);
}

function sourcesOf({ kube, key, since = {} }: RecordsWanted) {
  const from = (date: Date | undefined) => (date === undefined ? {} : { since: date });
  return [
    { stream: 'events', filter: eventFilter(kube, key), ...from(since.events) },
    { stream: 'events', filter: redeliveredFilter(kube, key), ...from(since.events) },
    { stream: 'decisions', filter: decisionFilter(kube, key), ...from(since.decisions) },
    { stream: 'repeats', filter: repeatFilter(kube, key), ...from(since.decisions) },
  ] as const;
}

function entryOf({ subject, time, payload }: ReadMessage): RecordingEntry[] {
  try {
    const value = JSON.parse(payload);
    if (subject.startsWith('quorate.decisions.')) return [{ decision: readDecision(value) }];
    if (subject.startsWith('quorate.repeats.')) {
      const read = repeatSchema.safeParse(value);
      return read.success ? [{ repeat: read.data }] : [];
    }
    return [{ event: { subject, storedAt: time.toISOString(), event: value } }];
  } catch (error) {
    // Whoever consumes it puts it aside in DEAD and says so; here is only what can be told.
    if (error instanceof SyntaxError || isError(error, 'DECISION_UNREADABLE')) return [];
    throw error;
  }
}
