import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import { type ServerAccess, shownUrl } from '../service/access.ts';
import { backoffMs, wait } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import { createOutage } from '../service/outage.ts';
import { connectionOptions } from './access.ts';
import { ensureStreams, type StreamCare } from './streams.ts';

const retry = { baseMs: 100, capMs: 5000 };
/** How often a quiet process looks whether the streams are still those it knows. */
const checkIntervalMs = 10_000;
/** How long the server gets to finish a deletion before we make a stream anew. */
const settleMs = 500;
/** How long the server may take over one answer. */
export const requestTimeoutMs = 5000;

/** A connection that comes back by itself, and the streams on it; the library's own objects stay in libs/bus. */
export interface Connection {
  readonly nats: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly log: Log;
  /** Whether the server answers and our streams are there. */
  connected(): boolean;
  /** Counts how often the streams were lost. Acknowledge a message only in the generation it came in. */
  generation(): number;
  /**
   * The answer of the server, or BUS_UNREACHABLE as soon as the connection is lost: what was asked over the old
   * one is never answered over the next, and waiting for the time-out would hold up what comes after it.
   */
  answer<Reply>(reply: Promise<Reply>): Promise<Reply>;
  /** Checks the streams now and repairs what is missing; throws BUS_UNREACHABLE. */
  verify(): Promise<void>;
  onRestored(listener: () => void): () => void;
  countBuried(): void;
  buriedCount(): number;
  /** Notes that messages come that were given out before, here or to another process. */
  countRedelivered(count: number): void;
  redeliveredCount(): number;
  close(): Promise<void>;
}

/**
 * Connects and makes the streams, trying until it succeeds; throws BUS_UNREACHABLE only when asked to stop.
 */
export async function openConnection(
  options: ServerAccess & { name: string; log: Log; streams: StreamCare; signal: AbortSignal },
): Promise<Connection> {
  const { url, log, streams, signal } = options;
  const outage = createOutage(log, 'NATS', url);
  for (let attempt = 0; !signal.aborted; attempt++) {
    let nats: NatsConnection | undefined;
    try {
      nats = await connectOnce(options);
      const manager = await jetstreamManager(nats, { timeout: requestTimeoutMs });
      const identity = await ensureStreams(manager, streams);
      outage.end();
      return keep(nats, manager, streams, identity, outage, log);
    } catch (error) {
      await nats?.close();
      outage.begin(messageOf(error));
      await wait(backoffMs(attempt, retry), signal);
    }
  }
  throw new QuorateError('BUS_UNREACHABLE', 'stopped before it could be reached', { url: shownUrl(url) });
}

function connectOnce(options: ServerAccess & { name: string }): Promise<NatsConnection> {
  return connect({
    ...connectionOptions(options),
    name: options.name,
    timeout: requestTimeoutMs,
    maxReconnectAttempts: -1,
    // A server that is started with other credentials by mistake is put right while we wait.
    ignoreAuthErrorAbort: true,
    // Every 0.5 to 1 s, for ever.
    reconnectDelayHandler: () => backoffMs(0, { baseMs: 1000, capMs: 1000 }),
    // A server that does not answer is given up after 20 s instead of the library's four minutes.
    pingInterval: 10_000,
    maxPingOut: 2,
  });
}

function keep(
  nats: NatsConnection,
  manager: JetStreamManager,
  streams: StreamCare,
  firstIdentity: string,
  outage: ReturnType<typeof createOutage>,
  log: Log,
): Connection {
  const listeners = new Set<() => void>();
  const unanswered = new Set<(reason: QuorateError) => void>();
  let identity = firstIdentity;
  let generation = 0;
  let buried = 0;
  let redelivered = 0;
  let reachable = true;
  let ready = true;
  let failures = 0;
  let verifying: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const answer = <Reply>(reply: Promise<Reply>): Promise<Reply> => {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    unanswered.add(reject);
    reply.then(resolve, reject).finally(() => unanswered.delete(reject));
    return promise;
  };

  const verify = (): Promise<void> => {
    verifying ??= answer(ensureStreams(manager, streams, settleMs))
      .then(
        (present) => {
          ready = true;
          failures = 0;
          outage.end();
          if (present === identity) return;
          identity = present;
          generation++;
          log.warn({}, 'streams on NATS were lost and are made again; what they held is published anew');
          for (const listener of listeners) listener();
        },
        (error) => {
          ready = false;
          failures++;
          if (!nats.isClosed()) outage.begin(messageOf(error));
          throw unreachable(error);
        },
      )
      .finally(() => {
        verifying = undefined;
        schedule(failures === 0 ? checkIntervalMs : backoffMs(failures - 1, retry));
      });
    return verifying;
  };

  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    if (nats.isClosed()) return;
    timer = setTimeout(() => {
      if (reachable) verify().catch(() => {}); // Logged as an outage, and scheduled again.
    }, delayMs);
    timer.unref();
  };

  const followStatus = async (): Promise<void> => {
    for await (const status of nats.status()) {
      if (status.type === 'disconnect') {
        reachable = false;
        ready = false;
        outage.begin('the connection was lost');
        for (const reject of unanswered) reject(unreachable(new Error('the connection was lost')));
      } else if (status.type === 'reconnect') {
        reachable = true;
        schedule(0);
      } else if (status.type === 'error') {
        log.warn({ reason: messageOf(status.error) }, 'NATS refused something');
      }
    }
  };
  followStatus().catch((error) =>
    log.error({ reason: messageOf(error) }, 'lost sight of the NATS connection'),
  );
  schedule(checkIntervalMs);

  return {
    nats,
    manager,
    log,
    jetstream: jetstream(nats, { timeout: requestTimeoutMs }),
    connected: () => ready && !nats.isClosed(),
    generation: () => generation,
    answer,
    verify,
    onRestored: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    countBuried: () => {
      buried++;
    },
    buriedCount: () => buried,
    countRedelivered: (count) => {
      redelivered += count;
    },
    redeliveredCount: () => redelivered,
    async close() {
      clearTimeout(timer);
      if (nats.isClosed()) return;
      // Sends what is still buffered, acknowledgements above all; pointless where nobody listens, and no reason to
      // stay if the server goes just now.
      if (reachable) await Promise.race([nats.drain(), wait(2000)]).catch(() => {});
      await nats.close();
    },
  };
}

export function unreachable(cause: unknown): QuorateError {
  return new QuorateError('BUS_UNREACHABLE', messageOf(cause), {}, cause);
}
