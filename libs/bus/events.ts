import type { JsMsg } from '@nats-io/jetstream';
import type { Connection } from './connection.ts';
import { type EventEnvelope, parseEvent, type Unreadable } from './envelope.ts';
import { handleMessages } from './handling.ts';
import { bury } from './publish.ts';
import { nameOf } from './streams.ts';
import { type EventParts, eventFilter, parseEventSubject, redeliveredFilter } from './subjects.ts';

export interface EventMeta {
  subject: string;
  parts: EventParts;
  /** The event's place in the stream. */
  sequence: number;
}

export type EventHandler = (event: EventEnvelope, meta: EventMeta) => Promise<void>;

/** Runs the handler on every event of a kube, those that a person has delivered again too, as `handleMessages` does. */
export async function consumeEvents(
  connection: Connection,
  options: { durable: string; kube: string; signal: AbortSignal; concurrency?: number },
  handler: EventHandler,
): Promise<void> {
  const { durable, kube, signal, concurrency = 64 } = options;
  const handle = async ({ subject, seq, data }: JsMsg): Promise<void> => {
    const parts = parseEventSubject(subject);
    const read = parts === undefined ? unknownSubject : parseEvent(data);
    if (parts === undefined || !read.ok) {
      const { reason, detail } = read.ok ? unknownSubject : read;
      await bury(connection, { reason, detail, subject, payload: data });
      return;
    }
    await handler(read.event, { subject, parts, sequence: seq });
  };
  const handling = { stream: nameOf.events, maxAckPending: 1000, concurrency, signal };
  // A consumer each: nats-server 2.9 takes one filter. The word stands before the name, for behind it, it may be a part
  // of another kube's id. There it once was: such a consumer stays behind on the server, where it does no harm.
  await Promise.all([
    handleMessages(connection, { ...handling, name: durable, filter: eventFilter(kube) }, handle),
    handleMessages(
      connection,
      { ...handling, name: `redelivered-${durable}`, filter: redeliveredFilter(kube) },
      handle,
    ),
  ]);
}

const unknownSubject: Unreadable = {
  ok: false,
  reason: 'unknown-subject',
  detail: 'the subject is not quorate.events.<kube>.<engine>.<namespace>.<cluster>.<resource>.<object>',
};
