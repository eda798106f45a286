import {
  type ConsumerMessages,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JsMsg,
} from '@nats-io/jetstream';
import { isError } from '../errors/catalogue.ts';
import { type Connection, requestTimeoutMs, unreachable } from './connection.ts';
import { type EventEnvelope, parseEvent } from './envelope.ts';
import { nameOf, type StreamName } from './streams.ts';
import { eventFilter, parseEventSubject } from './subjects.ts';

export interface ReadMessage {
  subject: string;
  sequence: number;
  /** When it was stored. */
  time: Date;
  /** The message as text; everything on the bus is JSON. */
  payload: string;
  headers: Record<string, string>;
}

export interface ReadOptions {
  stream: StreamName;
  /** A subject, with NATS' wildcards where wanted; everything in the stream where left out. */
  filter?: string;
  /** Only what was stored from then on. */
  since?: Date;
  /** Of every subject only the last message at present, and what comes after; `since` has no meaning then. */
  lastOnly?: boolean;
  /** Waits for more at the end, until the signal is aborted. */
  follow?: boolean;
  signal: AbortSignal;
}

/**
 * The stored messages in their order; ends at the end of the stream unless told to follow it. A stream that nobody has
 * made yet holds nothing. Throws BUS_UNREACHABLE.
 */
export async function* read(connection: Connection, options: ReadOptions): AsyncGenerator<ReadMessage> {
  try {
    yield* stored(connection, options);
  } catch (error) {
    if (options.follow || !isError(error, 'BUS_UNREACHABLE') || !isMissing(error.cause)) throw error;
  }
}

/** JSConsumerFilterNotSubsetErr of the server: an older version made the stream, without these subjects. */
const filterNotSubset = 10093;

const isMissing = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamNotFound || error.code === filterNotSubset);

async function* stored(connection: Connection, options: ReadOptions): AsyncGenerator<ReadMessage> {
  const { stream, filter, follow = false, signal } = options;
  const messages = scan(
    connection,
    stream,
    { ...startOf(options), ...(filter ? { filter_subjects: filter } : {}) },
    follow,
    signal,
  );
  for await (const message of messages) {
    yield {
      subject: message.subject,
      sequence: message.seq,
      time: new Date(message.info.timestampNanos / 1e6),
      payload: message.string(),
      headers: Object.fromEntries(
        (message.headers?.keys() ?? []).map((name) => [name, message.headers?.get(name) ?? '']),
      ),
    };
  }
}

function startOf({ since, lastOnly }: ReadOptions): {
  deliver_policy: DeliverPolicy;
  opt_start_time?: string;
} {
  if (lastOnly) return { deliver_policy: DeliverPolicy.LastPerSubject };
  if (since === undefined) return { deliver_policy: DeliverPolicy.All };
  return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() };
}

/**
 * The last event of every object of a kube, by subject: with everything that was published before the call,
 * and what can no longer be parsed left out. Throws BUS_UNREACHABLE.
 */
export async function lastEvents(connection: Connection, kube: string): Promise<Map<string, EventEnvelope>> {
  const last = new Map<string, EventEnvelope>();
  const options = { deliver_policy: DeliverPolicy.LastPerSubject, filter_subjects: eventFilter(kube) };
  for await (const message of scan(connection, 'events', options, false)) {
    const parsed = parseEvent(message.data);
    if (parsed.ok && parseEventSubject(message.subject)) last.set(message.subject, parsed.event);
    else last.delete(message.subject);
  }
  return last;
}

/** When the oldest message that a stream still keeps was stored. Throws BUS_UNREACHABLE. */
export async function keptSince(connection: Connection, stream: StreamName): Promise<Date | undefined> {
  try {
    const { state } = await connection.answer(connection.manager.streams.info(nameOf[stream]));
    return state.messages === 0 ? undefined : new Date(state.first_ts);
  } catch (error) {
    throw unreachable(error);
  }
}

/** How many messages a stream once stored and no longer has. Throws BUS_UNREACHABLE. */
export async function removedCount(connection: Connection, stream: StreamName): Promise<number> {
  try {
    const { state } = await connection.answer(connection.manager.streams.info(nameOf[stream]));
    return state.last_seq - state.messages;
  } catch (error) {
    throw unreachable(error);
  }
}

/** The sequence of the last message of a filter; 0 where there is none. */
async function lastSequence(connection: Connection, stream: StreamName, filter = '>'): Promise<number> {
  const last = await connection.answer(
    connection.manager.streams.getMessage(nameOf[stream], { last_by_subj: filter }),
  );
  return last?.seq ?? 0;
}

async function* scan(
  connection: Connection,
  stream: StreamName,
  options: { deliver_policy: DeliverPolicy; opt_start_time?: string; filter_subjects?: string },
  follow: boolean,
  signal?: AbortSignal,
): AsyncGenerator<JsMsg> {
  let messages: ConsumerMessages | undefined;
  let idle: NodeJS.Timeout | undefined;
  const stop = () => void messages?.close();
  try {
    // Not the server's count of what is pending: where messages are overwritten meanwhile, it may never come to zero
    // (nats-server 2.9). The last message of a subject is only ever overtaken by a later one.
    const end = follow ? undefined : await lastSequence(connection, stream, options.filter_subjects);
    if (end === 0) return;
    const consumer = await connection.jetstream.consumers.get(nameOf[stream], options);
    const info = await consumer.info(true);
    if (!follow && info.num_pending === 0) return;
    messages = await consumer.consume({ max_messages: 500, abort_on_missing_resource: true });
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    if (!follow) idle = setTimeout(stop, requestTimeoutMs);
    for await (const message of messages) {
      idle?.refresh();
      if (signal?.aborted) return;
      yield message;
      if (end !== undefined && (message.seq >= end || message.info.pending === 0)) return;
    }
  } catch (error) {
    throw unreachable(error);
  } finally {
    clearTimeout(idle);
    signal?.removeEventListener('abort', stop);
    stop();
  }
  if (!follow && !signal?.aborted) throw unreachable(new Error('the stream fell silent before its end'));
}
