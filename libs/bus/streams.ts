import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { wait } from '../service/backoff.ts';
import { allSubjects } from './subjects.ts';

export interface StreamLimits {
  /** Messages older than this go. */
  maxAgeMs: number;
  /** When the stream is larger than this, its oldest messages go. The server reserves this much disk. */
  maxBytes: number;
}

export type StreamName = keyof typeof allSubjects;

const hourMs = 3_600_000;
const mebibyte = 1024 * 1024;

/**
 * The limits of our streams. The last message per subject of `events` is the last known state of each
 * object, and it too goes when it is old: an object that nobody touched for a week is then missing from
 * `lastEvents`. That is no loss: the watcher compares with what Kubernetes lists and publishes it again. Only
 * the deletion of such an object while no watcher ran would go unseen, and the periodic resync covers that.
 */
export const defaultLimits: Record<StreamName, StreamLimits> = {
  events: { maxAgeMs: 7 * 24 * hourMs, maxBytes: 1024 * mebibyte },
  decisions: { maxAgeMs: 30 * 24 * hourMs, maxBytes: 1024 * mebibyte },
  repeats: { maxAgeMs: 30 * 24 * hourMs, maxBytes: 64 * mebibyte },
  dead: { maxAgeMs: 30 * 24 * hourMs, maxBytes: 64 * mebibyte },
};

/** Within this time, a second message of the same id is recognised. */
const duplicateWindowMs = 5 * 60_000;

/** The stream's name on the server. */
export const nameOf = {
  events: 'EVENTS',
  decisions: 'DECISIONS',
  repeats: 'REPEATS',
  dead: 'DEAD',
} as const satisfies Record<StreamName, string>;

/** What to do about the streams: keep them to these limits, or leave them as they are, for who only reads. */
export type StreamCare = Record<StreamName, StreamLimits> | 'as they are';

/**
 * Creates the streams that are missing and corrects those that differ from our configuration. Returns when
 * each was created: a stream that was lost and made again by anybody is recognised by another time.
 * `settleMs` is how long to leave a missing one alone first: nats-server 2.9 goes on clearing up after a deletion
 * that it has already announced, and a stream made in that time takes no messages, measured here.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  care: StreamCare,
  settleMs = 0,
): Promise<string> {
  const streams = Object.keys(nameOf) as StreamName[];
  const infos = await Promise.all(
    streams.map((stream) =>
      care === 'as they are'
        ? streamInfo(manager, nameOf[stream])
        : ensureStream(manager, stream, care[stream], settleMs),
    ),
  );
  return infos.map((info) => info?.created ?? 'missing').join(' ');
}

async function ensureStream(
  manager: JetStreamManager,
  stream: StreamName,
  limits: StreamLimits,
  settleMs: number,
): Promise<StreamInfo> {
  const wanted = {
    name: nameOf[stream],
    subjects: [...allSubjects[stream]],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(limits.maxAgeMs),
    max_bytes: limits.maxBytes,
    // Of repeats only the last count matters.
    max_msgs_per_subject: stream === 'repeats' ? 1 : -1,
    duplicate_window: nanos(Math.min(duplicateWindowMs, limits.maxAgeMs)),
  };
  const present = await streamInfo(manager, wanted.name);
  if (present === undefined) await wait(settleMs);
  // To add a stream that somebody else has just added with the same configuration is no error.
  if (present === undefined) return manager.streams.add(wanted);
  const { config } = present;
  const same =
    config.subjects?.join() === wanted.subjects.join() &&
    config.discard === wanted.discard &&
    config.max_age === wanted.max_age &&
    config.max_bytes === wanted.max_bytes &&
    config.max_msgs_per_subject === wanted.max_msgs_per_subject &&
    config.duplicate_window === wanted.duplicate_window;
  return same ? present : manager.streams.update(wanted.name, wanted);
}

async function streamInfo(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)
      return undefined;
    throw error;
  }
}
