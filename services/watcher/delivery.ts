import type { Bus } from '../../libs/bus/bus.ts';
import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import { parseEventSubject } from '../../libs/bus/subjects.ts';
import { isError, messageOf, QuorateError } from '../../libs/errors/catalogue.ts';
import { backoffMs, wait } from '../../libs/service/backoff.ts';
import { outlineOf } from './event.ts';

/** What cannot become an event, on its way to the stream DEAD. */
export interface Burial {
  reason: string;
  detail: string;
  subject: string;
  payload: string;
}

/**
 * The watcher's side of the bus: every call is repeated, with the same id, until the bus has answered, so that
 * nothing is lost while NATS is away; the bus itself logs that outage. Where the signal is aborted, a call
 * throws the signal's reason.
 */
export interface Delivery {
  /** Where the event is too large for the bus, it is put aside, and one with an outline of the object takes its place. */
  publish(subject: string, event: EventEnvelope, signal: AbortSignal): Promise<void>;
  bury(burial: Burial, signal: AbortSignal): Promise<void>;
  lastEvents(signal: AbortSignal): Promise<Map<string, EventEnvelope>>;
  /** How many events are no longer in the stream. */
  removedCount(signal: AbortSignal): Promise<number>;
}

const retry = { baseMs: 100, capMs: 5000 };

export function createDelivery(bus: Bus, kube: string): Delivery {
  let reading: Promise<Map<string, EventEnvelope>> | undefined;

  const bury = (burial: Burial, signal: AbortSignal) => answered(() => bus.bury(burial), signal);

  return {
    bury,
    removedCount: (signal) => answered(() => bus.removedCount('events'), signal),
    async publish(subject, event, signal) {
      const parts = parseEventSubject(subject);
      if (parts === undefined) throw new QuorateError('BUS_SUBJECT', subject, { subject });
      try {
        await answered(() => bus.publishEvent(parts, event), signal);
      } catch (error) {
        if (!isError(error, 'BUS_TOO_LARGE')) throw error;
        const payload = JSON.stringify(event);
        await bury({ reason: 'too-large', detail: messageOf(error), subject, payload }, signal);
        await answered(() => bus.publishEvent(parts, { ...event, data: outlineOf(event.data) }), signal);
      }
    },
    lastEvents(signal) {
      return answered(() => {
        // All kinds are listed at the same time; one reading of the stream serves them all.
        reading ??= bus.lastEvents(kube).finally(() => {
          reading = undefined;
        });
        return reading;
      }, signal);
    },
  };
}

/** Repeats `ask` until the bus answers. */
async function answered<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof QuorateError && error.retryable)) throw error;
      await wait(backoffMs(attempt, retry), signal);
    }
  }
}
