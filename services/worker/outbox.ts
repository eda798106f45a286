import type { Bus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { createRecorder, type Repeat } from '../../libs/engine/repeat.ts';
import { isError, messageOf } from '../../libs/errors/catalogue.ts';
import { type ClusterKey, formatKey } from '../../libs/kube/key.ts';
import { backoffMs, wait } from '../../libs/service/backoff.ts';
import type { Log } from '../../libs/service/log.ts';

/** Decision records on their way to the bus, so that passes go on while NATS is away. */
export interface Outbox {
  /**
   * Sends the record, or where it repeats the one before, that it does. Resolves to whether that was in time: a pass holds
   * its cluster until then, so that records stand in the stream in the order of passes, whichever worker makes them. While
   * NATS is away, or after the signal is aborted, a record is late, and the caller asks for another pass, which may say the
   * same in time; when it is stored at last, its cluster gets one in any case, since a later record may stand before it.
   */
  send(key: ClusterKey, decision: Decision, signal: AbortSignal): Promise<boolean>;
  /** Tries for two more seconds to send what is left. */
  close(): Promise<void>;
}

/** How long a pass waits for its record, in milliseconds: while it waits it does not act on what happens. */
const inTimeMs = 5000;
/** The most records kept while NATS is away; of more, the oldest are given up. */
const capacity = 1000;
/** How many clusters' records are on their way at once: one after the other, a busy worker makes more than NATS takes. */
const inFlight = 64;
const retry = { baseMs: 100, capMs: 5000 };

type Item = { key: ClusterKey } & (
  | { decision: Decision; tell: (inTime: boolean) => void }
  | { repeat: Repeat }
);

/**
 * Sends the records of a cluster one after the other, so that they stay in order, and those of different clusters at
 * once. `wake` asks for a pass that is recorded whole.
 */
export function openOutbox(
  bus: Pick<Bus, 'publishDecision' | 'publishRepeat' | 'onRestored'>,
  wake: (key: string) => Promise<void>,
  log: Log,
): Outbox {
  const recorder = createRecorder();
  const waiting: Item[] = [];
  let givenUp = 0;
  /** What is being sent, by the cluster's key. */
  const sending = new Map<string, Promise<void>>();
  /** The clusters of which a record came late, or not at all, since they were last woken for that. */
  const late = new Set<string>();
  /** Whether NATS did not take the record that it was asked for last. */
  let away = false;
  const stop = new AbortController();
  const unsubscribe = bus.onRestored(() => recorder.forget());

  async function deliver(item: Item): Promise<void> {
    for (let attempt = 0; !stop.signal.aborted; attempt++) {
      try {
        await publish(item);
        away = false;
        if ('decision' in item) item.tell(true);
        return;
      } catch (error) {
        if (!isError(error, 'BUS_UNREACHABLE')) return refuse(item, error);
        away = true;
        // No pass waits while NATS is away, nor those whose records are behind this one.
        for (const each of [item, ...waiting]) if ('decision' in each) each.tell(false);
        await wait(backoffMs(attempt, retry), stop.signal);
      }
    }
    waiting.unshift(item);
  }

  /** No retry changes that, and no other pass would be recorded either. */
  function refuse(item: Item, error: unknown): void {
    const key = formatKey(item.key);
    const decision = 'decision' in item ? item.decision.id : item.repeat.decision;
    log.error({ decision, key, reason: messageOf(error) }, 'decision record refused');
    recorder.forget(key);
    if ('decision' in item) item.tell(true);
  }

  async function publish(item: Item): Promise<void> {
    if ('decision' in item) {
      const { kube, id } = item.decision;
      await bus.publishDecision(kube, item.key, id, item.decision);
    } else {
      const { kube, worker } = item.repeat;
      await bus.publishRepeat(kube, item.key, worker, item.repeat);
    }
  }

  function sendMore(): void {
    while (sending.size < inFlight && !stop.signal.aborted) {
      const index = waiting.findIndex(({ key }) => !sending.has(formatKey(key)));
      const [item] = index < 0 ? [] : waiting.splice(index, 1);
      if (item === undefined) break;
      const key = formatKey(item.key);
      const sent = deliver(item).finally(() => {
        sending.delete(key);
        sendMore();
      });
      sending.set(key, sent);
    }
    if (waiting.length > 0) return;
    if (givenUp > 0) log.warn({ records: givenUp }, 'decision records were given up while NATS was away');
    givenUp = 0;
    for (const key of late) if (!sending.has(key)) void wakeLate(key);
  }

  async function wakeLate(key: string): Promise<void> {
    late.delete(key);
    for (let attempt = 0; !stop.signal.aborted; attempt++) {
      try {
        return await wake(key);
      } catch (error) {
        log.debug({ key, reason: messageOf(error) }, 'a cluster whose record was late is not woken yet');
        await wait(backoffMs(attempt, retry), stop.signal);
      }
    }
  }

  function keep(item: Item): void {
    waiting.push(item);
    const given = waiting.length > capacity ? waiting.shift() : undefined;
    if (given !== undefined && 'decision' in given) {
      givenUp++;
      recorder.forget(given.decision.key);
      given.tell(false);
    }
    sendMore();
  }

  /** What a pass is told of its record, once. */
  function telling(key: string, signal: AbortSignal) {
    const { promise: inTime, resolve } = Promise.withResolvers<boolean>();
    let told = false;
    const tell = (isInTime: boolean): void => {
      if (told) return;
      told = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', tellLate);
      if (!isInTime) late.add(key);
      resolve(isInTime);
    };
    const tellLate = () => tell(false);
    const timer = setTimeout(tellLate, inTimeMs);
    signal.addEventListener('abort', tellLate);
    if (signal.aborted || away) tellLate();
    return { inTime, tell };
  }

  return {
    async send(key, decision, signal) {
      const next = recorder.next(decision);
      if ('repeat' in next) {
        const item = { key, ...next };
        // The last count of a cluster is all that its repeats have to say.
        const older = waiting.findLastIndex(
          (each) => 'repeat' in each && each.repeat.decision === next.repeat.decision,
        );
        if (older >= 0) waiting[older] = item;
        else keep(item);
        return !late.has(decision.key);
      }
      const { inTime, tell } = telling(decision.key, signal);
      keep({ key, ...next, tell });
      return inTime;
    },
    async close() {
      unsubscribe();
      const timer = setTimeout(() => stop.abort(), 2000);
      while (sending.size > 0) await Promise.all(sending.values());
      clearTimeout(timer);
      stop.abort();
      if (waiting.length > 0)
        log.warn({ records: waiting.length }, 'decision records not sent before the stop');
    },
  };
}
