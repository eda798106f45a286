import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import { type Decision, readDecision } from './decision.ts';
import { type Repeat, repeatSchema } from './repeat.ts';

/**
 * A recording: what was stored about one or more clusters, as a file that needs neither Kubernetes nor bus. JSON
 * lines, compressed with gzip: a header, the entries in the order of their times, and a footer by which a file
 * that was cut or changed is noticed.
 */
const recordingFormat = 'quorate-recording/1';

const headerSchema = z.object({
  format: z.literal(recordingFormat),
  kube: z.string(),
  /** The clusters in it: `<engine>/<namespace>/<name>`. */
  keys: z.array(z.string()),
  /** What was asked for, ISO 8601; `null`: from the oldest that was kept. */
  since: z.string().nullable(),
  until: z.string(),
  exportedAt: z.string(),
  quorateVersion: z.string(),
  /** The time of the oldest decision record that the bus still kept of these clusters; `null` where none. */
  keptSince: z.string().nullable(),
});

/** An event as it was stored. Its envelope is for `libs/bus` to parse. */
const recordedEvent = z.object({
  subject: z.string(),
  storedAt: z.string(),
  event: z.looseObject({ id: z.string(), type: z.string(), time: z.string() }),
});

const lineSchema = z.union([
  z.object({ decision: z.unknown() }).refine((line) => line.decision !== undefined),
  z.object({ repeat: repeatSchema }),
  z.object({ event: recordedEvent }),
]);

const footerSchema = z.object({
  end: z.object({
    decisions: z.number(),
    events: z.number(),
    repeats: z.number(),
    /** SHA-256 in hex of all lines before this one, each with its line end. */
    sha256: z.string(),
  }),
});

export type RecordingHeader = z.infer<typeof headerSchema>;
export type RecordedEvent = z.infer<typeof recordedEvent>;
export type RecordingEntry = { decision: Decision } | { repeat: Repeat } | { event: RecordedEvent };

export interface Recording {
  header: RecordingHeader;
  decisions: Decision[];
  repeats: Repeat[];
  events: RecordedEvent[];
}

/** The lines of a recording, each with its line end; to be compressed with gzip. */
export async function* encodeRecording(
  header: Omit<RecordingHeader, 'format'>,
  entries: AsyncIterable<RecordingEntry> | Iterable<RecordingEntry>,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const counts = { decisions: 0, events: 0, repeats: 0 };
  const line = (value: object) => {
    const text = `${JSON.stringify(value)}\n`;
    hash.update(text);
    return text;
  };
  yield line({ format: recordingFormat, ...header });
  for await (const entry of entries) {
    if ('decision' in entry) counts.decisions++;
    else if ('repeat' in entry) counts.repeats++;
    else counts.events++;
    yield line(entry);
  }
  yield `${JSON.stringify({ end: { ...counts, sha256: hash.digest('hex') } })}\n`;
}

/** Reads a whole recording. Throws RECORDING_REFUSED: it is no recording, or not as it was written. */
export function decodeRecording(file: Uint8Array): Recording {
  const lines = linesOf(file);
  const header = headerOf(lines[0]);
  const footer = footerSchema.safeParse(jsonOf(lines.at(-1), lines.length));
  if (lines.length < 2 || !footer.success)
    throw refused(`it is cut off after line ${lines.length}: its last line is missing`);
  const hash = createHash('sha256');
  for (const line of lines.slice(0, -1)) hash.update(`${line}\n`);
  const { sha256, ...counts } = footer.data.end;
  if (hash.digest('hex') !== sha256)
    throw refused('its content is not what was written: the checksum differs');
  const recording: Recording = { header, decisions: [], repeats: [], events: [] };
  for (const [index, text] of lines.slice(1, -1).entries()) addEntry(recording, text, index + 2);
  const { decisions, repeats, events } = recording;
  const found = { decisions: decisions.length, events: events.length, repeats: repeats.length };
  if (JSON.stringify(found) !== JSON.stringify(counts)) throw refused('it holds less than its end says');
  return recording;
}

function linesOf(file: Uint8Array): string[] {
  // The first two bytes of every gzip file (RFC 1952).
  if (file[0] !== 0x1f || file[1] !== 0x8b) throw refused('it is no gzip file');
  try {
    const lines = new TextDecoder('utf-8', { fatal: true }).decode(gunzipSync(file)).split('\n');
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  } catch (error) {
    throw refused(`it cannot be unpacked, so it is cut off or damaged: ${messageOf(error)}`);
  }
}

function headerOf(line: string | undefined): RecordingHeader {
  const value = jsonOf(line, 1);
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format !== 'string' || !format.startsWith('quorate-recording/'))
    throw refused('it does not begin as a recording of Quorate does');
  if (format !== recordingFormat)
    throw refused(`it has the format ${format}; this version reads ${recordingFormat}`);
  const read = headerSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw refused(`its header: ${issue?.path.join('.')}: ${issue?.message}`);
}

function addEntry(recording: Recording, text: string, line: number): void {
  const read = lineSchema.safeParse(jsonOf(text, line));
  if (!read.success) throw refused(`line ${line} is no entry of a recording`);
  const entry = read.data;
  if ('event' in entry) recording.events.push(entry.event);
  else if ('repeat' in entry) recording.repeats.push(entry.repeat);
  else recording.decisions.push(readDecision(entry.decision));
}

function jsonOf(text: string | undefined, line: number): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (error) {
    throw refused(`line ${line} is no JSON: ${messageOf(error)}`);
  }
}

const refused = (reason: string) => new QuorateError('RECORDING_REFUSED', reason);
