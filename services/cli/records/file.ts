import { createWriteStream } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import {
  decodeRecording,
  encodeRecording,
  type RecordingEntry,
  type RecordingHeader,
} from '../../../libs/engine/recording.ts';
import { version } from '../../../libs/service/version.ts';

/** Writes a recording; the file is there when it is whole, and not before. */
export async function writeRecording(
  path: string,
  header: Omit<RecordingHeader, 'format' | 'exportedAt' | 'quorateVersion'>,
  entries: readonly RecordingEntry[],
): Promise<void> {
  const whole = { ...header, exportedAt: new Date().toISOString(), quorateVersion: version };
  const unfinished = `${path}.${process.pid}`;
  const lines = Readable.from(encodeRecording(whole, entries));
  await pipeline(lines, createGzip(), createWriteStream(unfinished, { mode: 0o600 }));
  await rename(unfinished, path);
}

/** Reads a recording. Throws RECORDING_REFUSED where it is none, or not as it was written. */
export async function readRecording(
  path: string,
): Promise<{ header: RecordingHeader; entries: RecordingEntry[] }> {
  const { header, decisions, repeats, events } = decodeRecording(await readFile(path));
  const entries: RecordingEntry[] = [
    ...events.map((event) => ({ event })),
    ...decisions.map((decision) => ({ decision })),
    ...repeats.map((repeat) => ({ repeat })),
  ];
  return { header, entries };
}
