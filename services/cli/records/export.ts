import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { type ClusterKey, formatKey } from '../../../libs/kube/key.ts';
import { inOrder } from '../story/story.ts';
import { writeRecording } from './file.ts';

export interface Exported {
  kube: string;
  key: ClusterKey;
  since: Date | undefined;
  /** Since when the bus keeps what was read. */
  kept: Date | undefined;
  until: Date;
}

/** Writes what was read about a cluster to a file, and says so. */
export async function exportRecords(path: string, about: Exported, records: RecordingEntry[]): Promise<void> {
  const { kube, key, since, kept, until } = about;
  const entries = inOrder(since === undefined ? records : from(since, records));
  const iso = (date: Date | undefined) => date?.toISOString() ?? null;
  const header = {
    ...{ kube, keys: [formatKey(key)] },
    ...{ since: iso(since), until: until.toISOString(), keptSince: iso(kept) },
  };
  await writeRecording(path, header, entries);
  console.log(`${path}: ${entries.length} records of ${formatKey(key)}`);
}

/** Without the events from before `since`, but for the last of every object, which its next change is told by. */
function from(since: Date, records: RecordingEntry[]): RecordingEntry[] {
  const isOlder = (entry: RecordingEntry) =>
    'event' in entry && Date.parse(entry.event.event.time) < since.getTime();
  const older = inOrder(records.filter(isOlder));
  const last = new Map(
    older.flatMap((entry) => ('event' in entry ? [[entry.event.subject, entry] as const] : [])),
  );
  return [...last.values(), ...records.filter((entry) => !isOlder(entry))];
}
