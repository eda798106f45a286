import type { Bus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { createRecorder, type Repeat } from '../../libs/engine/repeat.ts';
import { isError, messageOf } from '../../libs/errors/catalogue.ts';
import type { ClusterKey } from '../../libs/kube/key.ts';
import { backoffMs, wait } from '../../libs/service/backoff.ts';
import type { Log } from '../../libs/service/log.ts';

/** Decision records on their way to the bus, so that passes go on while NATS is away. */
export interface Outbox {
  /** Sends the record, or where it repeats the one before, that it does. */
  send(key: ClusterKey, decision: Decision): void;
  /** Tries for two more seconds to send what is left. */
  close(): Promise<void>;
}

/** The most records kept while NATS is away; of more, the oldest are given up, and counted in a log line. */
const capacity = 1000;
const retry = { baseMs: 100, capMs: 5000 };

type Item = { key: ClusterKey } & ({ decision: Decision } | { repeat: Repeat });

/** Sends records one after the other, so that those of one cluster stay in order. */
export function openOutbox(
  bus: Pick<Bus, 'publishDecision' | 'publishRepeat' | 'onRestored'>,
  log: Log,
): Outbox {
  const recorder = createRecorder();
  const waiting: Item[] = [];
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  let dropped = 0;
  bus.onRestored(() => recorder.forget());

  async function drain(): Promise<void> {
    for (let attempt = 0; waiting[0] && !stop.signal.aborted; ) {
      const item = waiting[0];
      try {
        await publish(item);
        if (waiting[0] === item) waiting.shift();
        attempt = 0;
      } catch (error) {
        if (isError(error, 'BUS_UNREACHABLE')) await wait(backoffMs(attempt++, retry), stop.signal);
        else {
          const { id, key } =
            'decision' in item ? item.decision : { id: item.repeat.decision, key: item.repeat.key };
          log.error({ decision: id, key, reason: messageOf(error) }, 'decision record refused');
          recorder.forget(key);
          if (waiting[0] === item) waiting.shift();
        }
      }
    }
    if (dropped > 0) log.warn({ dropped }, 'decision records were given up while NATS was away');
    dropped = 0;
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

  const start = () => {
    running ??= drain().finally(() => {
      running = undefined;
      if (waiting.length > 0 && !stop.signal.aborted) start();
    });
  };

  return {
    send(key, decision) {
      const item: Item = { key, ...recorder.next(decision) };
      // The last count of a cluster is all that its repeats have to say; what is being sent already stays.
      const older =
        'repeat' in item
          ? waiting.findLastIndex((each) => 'repeat' in each && each.repeat.decision === item.repeat.decision)
          : -1;
      if (older > 0) waiting[older] = item;
      else waiting.push(item);
      if (waiting.length > capacity) {
        const given = waiting.shift();
        if (given && 'decision' in given) {
          recorder.forget(given.decision.key);
          dropped++;
        }
      }
      start();
    },
    async close() {
      const timer = setTimeout(() => stop.abort(), 2000);
      await running;
      clearTimeout(timer);
      if (waiting.length > 0)
        log.warn({ records: waiting.length }, 'decision records not sent before the stop');
    },
  };
}
