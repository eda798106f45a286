import type { JsMsg } from '@nats-io/jetstream';
import { messageOf } from '../errors/catalogue.ts';
import { backoffMs } from '../service/backoff.ts';
import type { Connection } from './connection.ts';
import { consume } from './consumer.ts';
import { type EventEnvelope, parseEvent, type Unreadable } from './envelope.ts';
import { type Burial, bury } from './publish.ts';
import { nameOf } from './streams.ts';
import { type EventParts, parseEventSubject } from './subjects.ts';

export interface EventMeta {
  subject: string;
  parts: EventParts;
  /** The event's place in the stream. */
  sequence: number;
}

export type EventHandler = (event: EventEnvelope, meta: EventMeta) => Promise<void>;

/** A failed event is tried again after this; short at most, so that all is well soon after what failed is. */
const redelivery = { baseMs: 200, capMs: 5000 };

/**
 * Runs the handler on every event, in any order, at most `concurrency` at once in this process. An event is
 * acknowledged when its handler succeeded, and comes again, here or in another process, after it failed.
 */
export async function consumeEvents(
  connection: Connection,
  options: { durable: string; signal: AbortSignal; concurrency?: number },
  handler: EventHandler,
): Promise<void> {
  const { durable, signal, concurrency = 64 } = options;
  const running = new Set<Promise<void>>();
  let failing = false;

  const handle = async (message: JsMsg): Promise<void> => {
    const generation = connection.generation();
    try {
      await process(message);
      // The number of a message in a stream that was lost may be another message's in the new one.
      if (generation === connection.generation()) message.ack();
      if (failing) connection.log.info({ durable }, 'events are handled again');
      failing = false;
    } catch (error) {
      if (!failing) connection.log.warn({ durable, reason: messageOf(error) }, 'events wait for another try');
      failing = true;
      if (generation === connection.generation()) {
        message.nak(backoffMs(message.info.deliveryCount - 1, redelivery));
      }
    }
  };

  const process = async (message: JsMsg): Promise<void> => {
    const parts = parseEventSubject(message.subject);
    const read = parts === undefined ? unknownSubject : parseEvent(message.data);
    if (parts === undefined || !read.ok) {
      const { reason, detail } = read.ok ? unknownSubject : read;
      const burial: Burial = { reason, detail, subject: message.subject, payload: message.data };
      await bury(connection, burial);
      return;
    }
    await handler(read.event, { subject: message.subject, parts, sequence: message.seq });
  };

  await consume(
    connection,
    { stream: nameOf.events, name: durable, maxAckPending: 1000, prefetch: concurrency },
    signal,
    async (message) => {
      const run: Promise<void> = handle(message).finally(() => running.delete(run));
      running.add(run);
      if (running.size >= concurrency) await Promise.race(running);
    },
  );
  await Promise.all(running);
}

const unknownSubject: Unreadable = {
  ok: false,
  reason: 'unknown-subject',
  detail: 'the subject is not quorate.events.<kube>.<engine>.<namespace>.<cluster>.<resource>.<object>',
};
