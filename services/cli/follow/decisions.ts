import { type Bus, connectBus } from '../../../libs/bus/bus.ts';
import { decisionFilter } from '../../../libs/bus/subjects.ts';
import { type Decision, readDecision } from '../../../libs/engine/decision.ts';
import { messageOf } from '../../../libs/errors/catalogue.ts';
import { natsAccess } from '../../../libs/service/access.ts';
import { wait } from '../../../libs/service/backoff.ts';
import { natsSettings, readConfig } from '../../../libs/service/config.ts';
import type { Log } from '../../../libs/service/log.ts';

export interface DecisionsOptions {
  natsUrl: string;
  kube: string;
  log: Log;
  /** `last`: the last record of every cluster, however old, and what comes after. */
  since: Date | 'last';
  signal: AbortSignal;
}

/** Who we are for NATS is in the environment, as for the services. */
const accessTo = (url: string) => ({
  ...natsAccess(readConfig(natsSettings)),
  url,
  name: 'quorate command line',
});

const retryMs = 1_000;
const leaveTimeoutMs = 500;

/** Hands every record of a pass on, from `since` on and as they come, until the signal is aborted. */
export async function followDecisions(
  { natsUrl, kube, log, since, signal }: DecisionsOptions,
  handle: (decision: Decision) => void,
): Promise<void> {
  let bus: Bus | undefined;
  let from = since;
  try {
    bus = await openBus(natsUrl, log, signal);
    while (!signal.aborted) {
      try {
        const options = { stream: 'decisions', filter: decisionFilter(kube), follow: true } as const;
        for await (const message of bus.read({ ...options, ...beginAt(from), signal })) {
          from = new Date(message.time.getTime() + 1);
          const decision = parse(message.payload);
          if (decision !== undefined) handle(decision);
        }
      } catch (error) {
        log.debug({ reason: messageOf(error) }, 'the records of passes cannot be read; trying again');
      }
      await wait(retryMs, signal);
    }
  } catch (error) {
    // Asked to stop before NATS answered; anything else is a fault of ours.
    if (!signal.aborted) throw error;
  } finally {
    if (bus !== undefined) await leave(bus);
  }
}

/** The records since then, in their order. */
export async function readDecisions({
  natsUrl,
  kube,
  log,
  since,
  signal,
}: DecisionsOptions): Promise<Decision[]> {
  const bus = await openBus(natsUrl, log, signal);
  try {
    const decisions: Decision[] = [];
    for await (const message of bus.read({
      stream: 'decisions',
      filter: decisionFilter(kube),
      ...beginAt(since),
      signal,
    })) {
      const decision = parse(message.payload);
      if (decision !== undefined) decisions.push(decision);
    }
    return decisions;
  } finally {
    await leave(bus);
  }
}

const openBus = (url: string, log: Log, signal: AbortSignal) =>
  connectBus({ ...accessTo(url), streams: 'as they are', log, signal });

const beginAt = (since: Date | 'last') => (since === 'last' ? { lastOnly: true } : { since });

/** Disconnects. A reader has nothing to send, so where NATS goes away in this moment, there is nothing to wait for. */
async function leave(bus: Bus): Promise<void> {
  const closed = bus.close().catch(() => {
    // It is the connection that failed, and we are done with it.
  });
  await Promise.race([closed, wait(leaveTimeoutMs)]);
}

/** `undefined` for what cannot be read: the observer puts it aside and says so. */
function parse(payload: string): Decision | undefined {
  try {
    return readDecision(JSON.parse(payload));
  } catch {
    // A record of a newer version, or no record at all.
    return undefined;
  }
}
