import type { Bus } from '../../../libs/bus/bus.ts';
import type { ReadMessage } from '../../../libs/bus/read.ts';
import { decisionFilter, eventFilter, redeliveredFilter, repeatFilter } from '../../../libs/bus/subjects.ts';
import { readDecision } from '../../../libs/engine/decision.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { repeatSchema } from '../../../libs/engine/repeat.ts';
import { isError } from '../../../libs/errors/catalogue.ts';
import type { ClusterKey } from '../../../libs/kube/key.ts';
import { wait } from '../../../libs/service/backoff.ts';

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

const retryMs = 1_000;

/** Hands on every entry that is stored from `from` on, as it comes, until the signal is aborted, outages or not. */
export async function followRecords(
  bus: Bus,
  wanted: RecordsWanted,
  from: Date,
  handle: (entry: RecordingEntry) => void,
): Promise<void> {
  const { signal } = wanted;
  const follow = sourcesOf(wanted).map(async ({ stream, filter }) => {
    let since = from;
    while (!signal.aborted) {
      try {
        for await (const message of bus.read({ stream, filter, since, follow: true, signal })) {
          since = new Date(message.time.getTime() + 1);
          for (const entry of entryOf(message)) handle(entry);
        }
      } catch (error) {
        // The bus itself says when it is away, and comes back by itself.
        if (!isError(error, 'BUS_UNREACHABLE')) throw error;
        await wait(retryMs, signal);
      }
    }
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
