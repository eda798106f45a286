import type { Bus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { isError, messageOf } from '../../libs/errors/catalogue.ts';
import type { ClusterKey } from '../../libs/kube/key.ts';
import { backoffMs, wait } from '../../libs/service/backoff.ts';
import type { Log } from '../../libs/service/log.ts';

/** Decision records on their way to the bus, so that passes go on while NATS is away. */
export interface Outbox {
  send(key: ClusterKey, decision: Decision): void;
  /** Tries for two more seconds to send what is left. */
  close(): Promise<void>;
}

/** The most records kept while NATS is away; of more, the oldest are given up, and counted in a log line. */
const capacity = 1000;
const retry = { baseMs: 100, capMs: 5000 };

/** Sends records one after the other, so that those of one cluster stay in order. */
export function openOutbox(bus: Bus, log: Log): Outbox {
  const waiting: { key: ClusterKey; decision: Decision }[] = [];
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  let dropped = 0;

  async function drain(): Promise<void> {
    for (let attempt = 0; waiting[0] && !stop.signal.aborted; ) {
      const { key, decision } = waiting[0];
      try {
        await bus.publishDecision(decision.kube, key, decision.id, decision);
        if (waiting[0]?.decision === decision) waiting.shift();
        attempt = 0;
      } catch (error) {
        if (isError(error, 'BUS_UNREACHABLE')) await wait(backoffMs(attempt++, retry), stop.signal);
        else {
          log.error(
            { decision: decision.id, key: decision.key, reason: messageOf(error) },
            'decision record refused',
          );
          if (waiting[0]?.decision === decision) waiting.shift();
        }
      }
    }
    if (dropped > 0) log.warn({ dropped }, 'decision records were given up while NATS was away');
    dropped = 0;
  }

  const start = () => {
    running ??= drain().finally(() => {
      running = undefined;
      if (waiting.length > 0 && !stop.signal.aborted) start();
    });
  };

  return {
    send(key, decision) {
      waiting.push({ key, decision });
      if (waiting.length > capacity) {
        waiting.shift();
        dropped++;
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
