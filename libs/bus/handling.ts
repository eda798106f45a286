import type { JsMsg } from '@nats-io/jetstream';
import { messageOf } from '../errors/catalogue.ts';
import { backoffMs } from '../service/backoff.ts';
import type { Connection } from './connection.ts';
import { consume, type Durable, progressIntervalMs } from './consumer.ts';

/** A failed message is tried again after this; short at most, so that all is well soon after what failed is. */
const redelivery = { baseMs: 200, capMs: 5000 };

export interface Handling extends Omit<Durable, 'prefetch'> {
  /** How many messages this process handles at once, and how many it has ready beside them. */
  concurrency: number;
  signal: AbortSignal;
}

/**
 * Runs `handle` on every message of a durable that any number of processes share, in any order, until the signal is
 * aborted and what runs has ended. A message is acknowledged when `handle` succeeded, and comes again, here or in
 * another process, with a growing delay after it failed, and within 10 s after its process fell silent.
 */
export async function handleMessages(
  connection: Connection,
  { concurrency, signal, ...durable }: Handling,
  handle: (message: JsMsg) => Promise<void>,
): Promise<void> {
  const { log } = connection;
  const running = new Map<JsMsg, Promise<void>>();
  let failing = false;

  const run = async (message: JsMsg): Promise<void> => {
    const generation = connection.generation();
    // The number of a message in a stream that was lost may be another message's in the new one.
    const isOfThisStream = () => generation === connection.generation();
    const { subject } = message;
    try {
      await handle(message);
      if (isOfThisStream()) message.ack();
      if (failing) log.info({ durable: durable.name }, 'messages are handled again');
      failing = false;
    } catch (error) {
      const fields = { durable: durable.name, subject, reason: messageOf(error) };
      if (!failing) log.warn(fields, 'a message waits for another try, and maybe others do');
      failing = true;
      if (isOfThisStream()) message.nak(backoffMs(message.info.deliveryCount - 1, redelivery));
    }
  };

  const progress = setInterval(() => {
    for (const message of running.keys()) message.working();
  }, progressIntervalMs);
  try {
    await consume(connection, { ...durable, prefetch: concurrency }, signal, async (message) => {
      const end = run(message).finally(() => running.delete(message));
      running.set(message, end);
      if (running.size >= concurrency) await Promise.race(running.values());
    });
    await Promise.all(running.values());
  } finally {
    clearInterval(progress);
  }
}
