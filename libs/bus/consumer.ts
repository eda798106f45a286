import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { messageOf } from '../errors/catalogue.ts';
import { backoffMs, wait } from '../service/backoff.ts';
import type { Connection } from './connection.ts';

/** A message that is neither acknowledged nor reported in progress for so long goes to another process. */
const ackWaitMs = 10_000;
/** How often to tell the server that a message is still worked on. */
export const progressIntervalMs = 3000;

export interface Durable {
  stream: string;
  name: string;
  /** The subjects whose messages it is fed with. */
  filter: string;
  /** How many messages may be out and unacknowledged, over all processes. */
  maxAckPending: number;
  /** How many messages this process asks for ahead. */
  prefetch: number;
}

/**
 * Feeds `take` with the messages of a durable pull consumer until the signal is aborted. The consumer is made
 * where it is missing, at the start or later, and then begins with the oldest message of the stream. Survives
 * everything that happens to the server. `take` resolves when the next message may come; it never rejects.
 */
export async function consume(
  connection: Connection,
  durable: Durable,
  signal: AbortSignal,
  take: (message: JsMsg) => Promise<void>,
): Promise<void> {
  for (let failures = 0; !signal.aborted && !connection.nats.isClosed(); failures++) {
    try {
      await ensureConsumer(connection, durable);
      const consumer = await connection.jetstream.consumers.get(durable.stream, durable.name);
      const messages = await consumer.consume({
        max_messages: durable.prefetch,
        // Also bounds how long a lost notice of a deleted consumer goes unseen: two missed heartbeats of half this.
        expires: 4000,
        // Otherwise the library goes on asking a consumer that is no longer there.
        abort_on_missing_resource: true,
      });
      const stop = () => void messages.close();
      signal.addEventListener('abort', stop, { once: true });
      try {
        if (signal.aborted) stop();
        for await (const message of messages) {
          failures = 0;
          if (message.info.deliveryCount > 1) connection.countRedelivered(1);
          // What was fetched ahead goes back for the others.
          if (signal.aborted) message.nak();
          else await take(message);
        }
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    } catch (error) {
      if (signal.aborted) return;
      connection.log.debug({ durable: durable.name, reason: messageOf(error) }, 'consumer interrupted');
      // Repairs missing streams, and logs an outage where it cannot.
      await connection.verify().catch(() => {});
      await wait(backoffMs(failures, { baseMs: 50, capMs: 5000 }), signal);
    }
  }
}

/**
 * Makes the consumer where it is missing, from the oldest message on; one of an older version is made anew where that
 * one stood, because nats-server 2.9 hands out nothing more once it was given another filter, measured here.
 */
async function ensureConsumer(connection: Connection, durable: Durable): Promise<void> {
  const { consumers } = connection.manager;
  const wanted = {
    durable_name: durable.name,
    filter_subject: durable.filter,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_deliver: -1,
    max_ack_pending: durable.maxAckPending,
  };
  const present = await consumerInfo(connection, durable);
  if (present === undefined) {
    await consumers.add(durable.stream, { ...wanted, deliver_policy: DeliverPolicy.All });
    return;
  }
  const { filter_subject, ack_wait, max_ack_pending } = present.config;
  const isSame =
    filter_subject === wanted.filter_subject &&
    ack_wait === wanted.ack_wait &&
    max_ack_pending === wanted.max_ack_pending;
  if (isSame) return;
  await consumers.delete(durable.stream, durable.name);
  await consumers.add(durable.stream, {
    ...wanted,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: present.ack_floor.stream_seq + 1,
  });
}

/** The consumer, or `undefined` where the stream positively has none of that name. */
async function consumerInfo(connection: Connection, durable: Durable): Promise<ConsumerInfo | undefined> {
  try {
    return await connection.manager.consumers.info(durable.stream, durable.name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound)
      return undefined;
    throw error;
  }
}
