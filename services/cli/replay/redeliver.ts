import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import type { Bus } from '../../../libs/bus/bus.ts';
import { type EventEnvelope, parseEvent } from '../../../libs/bus/envelope.ts';
import { type EventParts, parseEventSubject } from '../../../libs/bus/subjects.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { wait } from '../../../libs/service/backoff.ts';
import { nameOf } from '../story/objects.ts';
import { inOrder } from '../story/story.ts';

/** An event that happened, on its way through the pipeline once more. */
export interface Redelivery {
  parts: EventParts;
  event: EventEnvelope;
  /** How long after the one before it happened, in milliseconds. */
  afterMs: number;
}

/**
 * The recorded events in the order in which they happened, as new ones: of an id of their own, because the bus keeps
 * one of each, marked with the id of the first, and of the kube where they are delivered. Pure.
 */
export function redeliveriesOf(records: readonly RecordingEntry[], kube: string, run: string): Redelivery[] {
  const happened = inOrder(records).flatMap((record) => {
    if (!('event' in record)) return [];
    const parts = parseEventSubject(record.event.subject);
    const read = parseEvent(JSON.stringify(record.event.event));
    // What was delivered again already did not happen a second time.
    return parts && read.ok && read.event.redeliveryof === undefined ? [{ parts, event: read.event }] : [];
  });
  return happened.map(({ parts, event }, index) => {
    const before = happened[index - 1]?.event ?? event;
    return {
      parts: { ...parts, kube },
      event: { ...event, id: `${event.id}/redelivered/${run}`, redeliveryof: event.id },
      afterMs: Math.max(0, Date.parse(event.time) - Date.parse(before.time)),
    };
  });
}

export interface RedeliverOptions {
  kube: string;
  /** How many times as fast as it happened. */
  speed: number;
  /** Ask before each event instead of keeping its pace. */
  step: boolean;
  say: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Publishes the recorded events again, for the workers alone: each wakes its cluster. A pass reads the present and
 * not the event, so nothing is done twice. Returns how many were published; fewer than there are where it was ended.
 */
export async function redeliver(
  bus: Bus,
  records: readonly RecordingEntry[],
  { kube, speed, step, say, signal }: RedeliverOptions,
): Promise<number> {
  const redeliveries = redeliveriesOf(records, kube, randomUUID().slice(0, 8));
  const input = step ? createInterface({ input: process.stdin, output: process.stdout }) : undefined;
  const answers = input?.[Symbol.asyncIterator]();
  try {
    for (const [index, { parts, event, afterMs }] of redeliveries.entries()) {
      const object = nameOf(event.data);
      const what = `${index + 1} of ${redeliveries.length}: ${object} ${event.type.split('.').at(-1)} (${event.time})`;
      if (input && answers) {
        // Not readline's own prompt, which fails where the answers have come to their end.
        process.stdout.write(`${what}; Enter to deliver it, q to end > `);
        const { value, done } = await answers.next();
        if (done || value.trim() === 'q') return index;
      } else await wait(afterMs / speed, signal);
      if (signal.aborted) return index;
      await bus.redeliverEvent(parts, { ...event, time: new Date().toISOString() });
      if (!step) say(what);
    }
    return redeliveries.length;
  } finally {
    input?.close();
  }
}
