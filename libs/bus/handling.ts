import type { JsMsg } from '@nats-io/jetstream';
import { describeError, messageOf } from '../errors/catalogue.ts';
import { backoffMs } from '../service/backoff.ts';
import type { Connection } from './connection.ts';
import { consume, type Durable, progressIntervalMs } from './consumer.ts';

/** A failed message is tried again after this; short at most, so that all is well soon after what failed is. */
const redelivery = { baseMs: 200, capMs: 5000 };
/** What somebody has to put right first may take days, and wait in hundreds of messages: less often, in the end. */
const refusedRedelivery = { baseMs: 200, capMs: 30_000 };

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
  const running = new Map<JsMsg, Promise<void>>();
  const failures = tellFailures(connection, durable.name);

  const run = async (message: JsMsg): Promise<void> => {
    const generation = connection.generation();
    // The number of a message in a stream that was lost may be another message's in the new one.
    const isOfThisStream = () => generation === connection.generation();
    try {
      await handle(message);
      if (isOfThisStream()) message.ack();
      failures.handled(message);
    } catch (error) {
      const range = describeError(error).retryable ? redelivery : refusedRedelivery;
      failures.failed(message, error, range.capMs);
      if (isOfThisStream()) message.nak(backoffMs(message.info.deliveryCount - 1, range));
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

/**
 * Logs one line when messages begin to fail and one when none fails any more, however many others are handled in
 * between.
 */
function tellFailures({ log }: Connection, durable: string) {
  /** The messages that fail, by their number, with the time until which that is believed. */
  const failing = new Map<number, number>();
  const forgetOthers = () => {
    const nowMs = performance.now();
    for (const [number, untilMs] of failing) if (untilMs < nowMs) failing.delete(number);
  };
  return {
    failed({ seq, subject }: JsMsg, error: unknown, longestDelayMs: number) {
      if (failing.size === 0)
        log.warn(
          { durable, subject, reason: messageOf(error) },
          'a message waits for another try, and maybe others do',
        );
      forgetOthers();
      // One that has not come here again after that long was handled by another process.
      failing.set(seq, performance.now() + 10 * longestDelayMs);
    },
    handled({ seq }: JsMsg) {
      if (failing.size === 0) return;
      failing.delete(seq);
      forgetOthers();
      if (failing.size === 0) log.info({ durable }, 'messages are handled again');
    },
  };
}
