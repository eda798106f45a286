import type { JsMsg } from '@nats-io/jetstream';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import type { ClusterKey } from '../kube/key.ts';
import { backoffMs, wait } from '../service/backoff.ts';
import type { Connection } from './connection.ts';
import { addConsumer, consume, consumerInfo, type Durable, progressIntervalMs } from './consumer.ts';
import { parseRecord } from './envelope.ts';
import { bury } from './publish.ts';
import { nameOf } from './streams.ts';
import { parseDecisionSubject } from './subjects.ts';

export interface DecisionMeta {
  subject: string;
  kube: string;
  key: ClusterKey;
  /** The record's place in the stream. */
  sequence: number;
  /** When it was stored. */
  time: Date;
}

export type DecisionHandler = (record: Record<string, unknown>, meta: DecisionMeta) => Promise<void>;

const retry = { baseMs: 200, capMs: 10_000 };
/** The most records taken and not yet handled, and so the most handlers at once. */
const maxInFlight = 100;

/**
 * Runs the handler on every record: those of one cluster one after the other in the order of the stream,
 * those of different clusters at once. A handler that fails is called again with the same record until it
 * succeeds, and the cluster's later records wait behind it; after an error that no retry cures the record goes
 * to DEAD and the line goes on.
 *
 * The order holds within one process, so run one per durable: NATS would share the records of one cluster
 * out between two. A record may come twice after a crash, never after a later one of its cluster: a new
 * process begins again at the oldest record that its predecessor had not acknowledged, because otherwise NATS
 * would hand out the newer ones first and those in doubt half a minute later.
 */
export async function consumeDecisions(
  connection: Connection,
  options: { durable: string; signal: AbortSignal },
  handler: DecisionHandler,
): Promise<void> {
  const { signal } = options;
  const durable: Durable = {
    stream: nameOf.decisions,
    name: options.durable,
    maxAckPending: maxInFlight,
    prefetch: maxInFlight,
  };
  /** Per subject, the end of the line of records that wait for their turn. */
  const lines = new Map<string, Promise<void>>();
  /** Records taken and not yet handled, by their identity. */
  const held = new Map<string, JsMsg>();
  /** Per subject, the last record that was handled. */
  const handled = new Map<string, JsMsg>();

  const take = async (message: JsMsg): Promise<void> => {
    const identity = identityOf(message);
    if (held.has(identity)) return;
    const last = handled.get(message.subject);
    if (last !== undefined && !isLater(message, last)) {
      // It was handled, and the acknowledgement got lost on the way.
      message.ack();
      return;
    }
    held.set(identity, message);
    const generation = connection.generation();
    const line: Promise<void> = (lines.get(message.subject) ?? Promise.resolve()).then(async () => {
      const done = await handleUntilDone(connection, message, signal, handler);
      held.delete(identity);
      if (lines.get(message.subject) === line) lines.delete(message.subject);
      if (!done) return;
      handled.set(message.subject, message);
      // The number of a message in a stream that was lost may be another message's in the new one.
      if (generation === connection.generation()) message.ack();
    });
    lines.set(message.subject, line);
  };

  const progress = setInterval(() => {
    for (const message of held.values()) message.working();
  }, progressIntervalMs);
  try {
    await beginAtOldestUnacknowledged(connection, durable, signal);
    await consume(connection, durable, signal, take);
    await Promise.all(lines.values());
  } finally {
    clearInterval(progress);
  }
}

/** Whether the record was handled or put aside; `false` when asked to stop before. */
async function handleUntilDone(
  connection: Connection,
  message: JsMsg,
  signal: AbortSignal,
  handler: DecisionHandler,
): Promise<boolean> {
  const { subject } = message;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await handleOnce(connection, message, handler);
      if (attempt > 0) connection.log.info({ subject, attempt }, 'a decision is handled at last');
      return true;
    } catch (error) {
      if (attempt === 0) {
        connection.log.warn({ subject, reason: messageOf(error) }, 'a decision waits for another try');
      }
      await wait(backoffMs(attempt, retry), signal);
    }
  }
  return false;
}

async function handleOnce(connection: Connection, message: JsMsg, handler: DecisionHandler): Promise<void> {
  const { subject, data: payload } = message;
  const parsed = parseDecisionSubject(subject);
  const read = parseRecord(payload);
  if (parsed === undefined || !read.ok) {
    const reason = read.ok ? 'unknown-subject' : read.reason;
    return bury(connection, { reason, detail: read.ok ? '' : read.detail, subject, payload });
  }
  try {
    const time = new Date(message.info.timestampNanos / 1e6);
    await handler(read.value, { subject, ...parsed, sequence: message.seq, time });
  } catch (error) {
    if (!(error instanceof QuorateError) || error.retryable) throw error;
    await bury(connection, { reason: 'refused', detail: messageOf(error), subject, payload });
  }
}

async function beginAtOldestUnacknowledged(
  connection: Connection,
  durable: Durable,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const info = await consumerInfo(connection, durable);
      if (info === undefined || info.num_ack_pending === 0) return;
      await connection.manager.consumers.delete(durable.stream, durable.name);
      await addConsumer(connection, durable, info.ack_floor.stream_seq + 1);
      // To the new consumer they are new.
      connection.countRedelivered(info.num_ack_pending);
      return;
    } catch (error) {
      connection.log.debug({ durable: durable.name, reason: messageOf(error) }, 'consumer not yet placed');
      // Repairs missing streams, and logs an outage where it cannot.
      await connection.verify().catch(() => {});
      await wait(backoffMs(attempt, retry), signal);
    }
  }
}

/** Sequences begin again in a stream that was lost and made anew, so the time of storing belongs to it. */
function identityOf(message: JsMsg): string {
  return `${message.info.timestampNanos}/${message.seq}`;
}

function isLater(message: JsMsg, than: JsMsg): boolean {
  const difference = message.info.timestampNanos - than.info.timestampNanos;
  return difference > 0 || (difference === 0 && message.seq > than.seq);
}
