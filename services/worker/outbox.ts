import type { Bus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { createRecorder, type Repeat } from '../../libs/engine/repeat.ts';
import { isError, messageOf } from '../../libs/errors/catalogue.ts';
import { type ClusterKey, formatKey } from '../../libs/kube/key.ts';
import { backoffMs, wait } from '../../libs/service/backoff.ts';
import type { Log } from '../../libs/service/log.ts';

/** Decision records on their way to the bus, so that passes go on while NATS is away. */
export interface Outbox {
  /** Sends the record, or where it repeats the one before, that it does. */
  send(key: ClusterKey, decision: Decision): void;
  /** Tries for two more seconds to send what is left. */
  close(): Promise<void>;
}

/** The most records kept while NATS is away; of more, the oldest are given up, and their clusters get another pass. */
const capacity = 1000;
/** How many clusters' records are on their way at once: one after the other, a busy worker makes more than NATS takes. */
const inFlight = 64;
const retry = { baseMs: 100, capMs: 5000 };

type Item = { key: ClusterKey } & ({ decision: Decision } | { repeat: Repeat });

/**
 * Sends the records of a cluster one after the other, so that they stay in order, and those of different clusters at
 * once. `wake` asks for a pass of a cluster whose record was given up: its status would stay what it was.
 */
export function openOutbox(
  bus: Pick<Bus, 'publishDecision' | 'publishRepeat' | 'onRestored'>,
  wake: (key: string) => Promise<void>,
  log: Log,
): Outbox {
  const recorder = createRecorder();
  const waiting: Item[] = [];
  /** What is being sent, by the cluster's key. */
  const sending = new Map<string, Promise<void>>();
  const givenUp = new Set<string>();
  const stop = new AbortController();
  const unsubscribe = bus.onRestored(() => recorder.forget());

  async function deliver(item: Item): Promise<void> {
    for (let attempt = 0; !stop.signal.aborted; attempt++) {
      try {
        await publish(item);
        return;
      } catch (error) {
        if (isError(error, 'BUS_UNREACHABLE')) await wait(backoffMs(attempt, retry), stop.signal);
        else {
          const key = formatKey(item.key);
          const decision = 'decision' in item ? item.decision.id : item.repeat.decision;
          log.error({ decision, key, reason: messageOf(error) }, 'decision record refused');
          recorder.forget(key);
          return;
        }
      }
    }
    waiting.unshift(item);
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
    if (waiting.length === 0 && givenUp.size > 0) void wakeGivenUp();
  }

  async function wakeGivenUp(): Promise<void> {
    const keys = [...givenUp];
    givenUp.clear();
    log.warn({ clusters: keys.length }, 'decision records were given up; their clusters get another pass');
    try {
      await Promise.all(keys.map(wake));
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'not every cluster could be woken; the resync makes up for it');
    }
  }

  return {
    send(key, decision) {
      const item: Item = { key, ...recorder.next(decision) };
      // The last count of a cluster is all that its repeats have to say.
      const older =
        'repeat' in item
          ? waiting.findLastIndex((each) => 'repeat' in each && each.repeat.decision === item.repeat.decision)
          : -1;
      if (older >= 0) waiting[older] = item;
      else waiting.push(item);
      if (waiting.length > capacity) {
        const given = waiting.shift();
        if (given && 'decision' in given) {
          recorder.forget(given.decision.key);
          givenUp.add(given.decision.key);
        }
      }
      sendMore();
    },
    async close() {
      unsubscribe();
      const timer = setTimeout(() => stop.abort(), 2000);
      while (sending.size > 0) await Promise.all(sending.values());
      clearTimeout(timer);
      if (waiting.length > 0)
        log.warn({ records: waiting.length }, 'decision records not sent before the stop');
    },
  };
}
