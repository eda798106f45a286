import type { JsMsg, StoredMsg } from '@nats-io/jetstream';
import { isError, messageOf } from '../errors/catalogue.ts';
import type { ClusterKey } from '../kube/key.ts';
import { type Connection, unreachable } from './connection.ts';
import { parseRecord } from './envelope.ts';
import { handleMessages } from './handling.ts';
import { bury } from './publish.ts';
import { nameOf } from './streams.ts';
import { decisionFilter, parseDecisionSubject } from './subjects.ts';

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

/**
 * After these a record goes to DEAD, since it would have no other end on any later try. A missing right, a quota or a
 * webhook is put right by somebody, and then the status must not stay what it was.
 */
const hopeless = ['DECISION_UNREADABLE', 'KUBE_INVALID'] as const;

/**
 * Runs the handler on every record of a kube, as `handleMessages` does; a record that is hopeless goes to DEAD. Nothing
 * keeps the records of a cluster in order: see `laterRecords`.
 */
export async function consumeDecisions(
  connection: Connection,
  options: { durable: string; kube: string; signal: AbortSignal },
  handler: DecisionHandler,
): Promise<void> {
  const { durable: name, kube, signal } = options;
  // Few at once, so that a process that freezes holds up few clusters until others are given what it took. Those that
  // wait for another try are among them.
  const handling = { stream: nameOf.decisions, name, filter: decisionFilter(kube), maxAckPending: 500 };
  await handleMessages(connection, { ...handling, concurrency: 25, signal }, async (message) => {
    const { subject, data: payload } = message;
    const parsed = parseDecisionSubject(subject);
    const read = parseRecord(payload);
    if (parsed === undefined || !read.ok) {
      const reason = read.ok ? 'unknown-subject' : read.reason;
      return bury(connection, { reason, detail: read.ok ? '' : read.detail, subject, payload });
    }
    try {
      await handler(read.value, { subject, ...parsed, sequence: message.seq, time: timeOf(message) });
    } catch (error) {
      if (!hopeless.some((code) => isError(error, code))) throw error;
      await bury(connection, { reason: 'refused', detail: messageOf(error), subject, payload });
    }
  });
}

/**
 * The records of the same cluster that were stored later than this one, in the order of the stream, as of the call or
 * later; what cannot be read is left out. Throws BUS_UNREACHABLE.
 */
export async function* laterRecords(
  connection: Connection,
  record: DecisionMeta,
): AsyncGenerator<Record<string, unknown>> {
  const { subject, sequence } = record;
  const last = await stored(connection, { last_by_subj: subject });
  if (last === undefined || isStored(record, last)) return;
  const atItsPlace = await stored(connection, { seq: sequence, next_by_subj: subject });
  // Where it is no longer stored it was the older one: of a stream that was lost, or among the first that had to go.
  let from = atItsPlace !== undefined && isStored(record, atItsPlace) ? sequence + 1 : 1;
  for (;;) {
    const next = await stored(connection, { seq: from, next_by_subj: subject });
    if (next === undefined) return;
    const read = parseRecord(next.data);
    if (read.ok) yield read.value;
    from = next.seq + 1;
  }
}

/** The message that the stream's leader has stored, which knows every one that was confirmed. */
async function stored(
  { answer, manager }: Connection,
  query: { last_by_subj: string } | { seq: number; next_by_subj: string },
): Promise<StoredMsg | undefined> {
  try {
    return (await answer(manager.streams.getMessage(nameOf.decisions, query))) ?? undefined;
  } catch (error) {
    throw unreachable(error);
  }
}

const timeOf = (message: JsMsg): Date => new Date(message.info.timestampNanos / 1e6);

/** Sequences begin again in a stream that was lost and made anew, so the time of storing belongs to the identity. */
function isStored({ sequence, time }: DecisionMeta, message: StoredMsg): boolean {
  // The library rounds one of the two times.
  return sequence === message.seq && Math.abs(time.getTime() - message.time.getTime()) <= 1;
}
