import type { ClusterKey } from '../kube/key.ts';
import type { ServerAccess } from '../service/access.ts';
import type { Log } from '../service/log.ts';
import { openConnection } from './connection.ts';
import { consumeDecisions, type DecisionHandler, type DecisionMeta, laterRecords } from './decisions.ts';
import type { EventEnvelope } from './envelope.ts';
import { consumeEvents, type EventHandler } from './events.ts';
import { type Burial, bury, publish } from './publish.ts';
import { keptSince, lastEvents, type ReadMessage, type ReadOptions, read, removedCount } from './read.ts';
import { defaultLimits, type StreamCare, type StreamName } from './streams.ts';
import {
  decisionSubject,
  type EventParts,
  eventSubject,
  redeliveredSubject,
  repeatSubject,
} from './subjects.ts';

/**
 * The message bus. It keeps itself connected for ever and its streams in place. Every method that needs an
 * answer throws BUS_UNREACHABLE (retryable) when none came.
 */
export interface Bus {
  /** Whether NATS answers and our streams are there, as far as is known right now. */
  connected(): boolean;
  /**
   * Calls the listener each time after streams were lost and made again, by whomever: they are empty then. The function
   * returned ends that.
   */
  onRestored(listener: () => void): () => void;
  /**
   * Stores an event; `duplicate` where an event of the kube with the same id is stored already. Throws BUS_TOO_LARGE and
   * BUS_SUBJECT, which no retry cures.
   */
  publishEvent(parts: EventParts, event: EventEnvelope): Promise<'stored' | 'duplicate'>;
  /**
   * Stores an event for the workers a second time, apart from the events that happened. Its id must be a new one.
   * Throws as `publishEvent` does.
   */
  redeliverEvent(parts: EventParts, event: EventEnvelope): Promise<void>;
  /** The last event of every object of a kube, by subject, as of the call or later. */
  lastEvents(kube: string): Promise<Map<string, EventEnvelope>>;
  /**
   * Runs the handler on every event of a kube until the signal is aborted and the running handlers have ended. Any
   * number of processes share the events of one durable. An event is acknowledged when the handler
   * succeeded and comes again with a growing delay when it failed; what cannot be read goes to DEAD. After a
   * crash, or when the consumer was lost, events come again: handlers must not mind.
   */
  consumeEvents(
    options: { durable: string; kube: string; signal: AbortSignal; concurrency?: number },
    handler: EventHandler,
  ): Promise<void>;
  /** Stores the record of one pass, once per id. Throws as `publishEvent` does. */
  publishDecision(kube: string, key: ClusterKey, id: string, record: object): Promise<'stored' | 'duplicate'>;
  /** Stores how often a worker found its last decision about a cluster again, in place of what it said before. */
  publishRepeat(kube: string, key: ClusterKey, worker: string, repeat: object): Promise<void>;
  /**
   * Runs the handler on every record of a kube, in any order, until the signal is aborted. Any number of processes
   * share the records of one durable; a record comes again as an event does. After DECISION_UNREADABLE and KUBE_INVALID it
   * goes to DEAD.
   */
  consumeDecisions(
    options: { durable: string; kube: string; signal: AbortSignal },
    handler: DecisionHandler,
  ): Promise<void>;
  /** The records of the same cluster that were stored after this one, in their order, as of the call or later. */
  laterRecords(record: DecisionMeta): AsyncIterable<Record<string, unknown>>;
  /** When the oldest message that a stream still keeps was stored; `undefined` where it keeps none. */
  keptSince(stream: StreamName): Promise<Date | undefined>;
  /** How many messages a stream once stored and no longer has, by its limits or because somebody removed them. */
  removedCount(stream: StreamName): Promise<number>;
  /** What is stored, for people to look at. */
  read(options: ReadOptions): AsyncIterable<ReadMessage>;
  /** Puts a message that cannot be used aside in DEAD, cut to 256 KiB, with the reason. */
  bury(burial: Burial): Promise<void>;
  /** How many messages this process has put aside. */
  buriedCount(): number;
  /** How many messages this process was given by NATS that it or another was given before. */
  redeliveredCount(): number;
  /** Sends what is on its way and disconnects. Stop the consumers before. */
  close(): Promise<void>;
}

/**
 * Connects, trying for as long as the signal is not aborted; then throws BUS_UNREACHABLE. `name` is shown in NATS' own
 * tools. `streams` says how to keep them, by default within the default limits; everybody must keep them alike.
 */
export async function connectBus(
  options: ServerAccess & { name: string; log: Log; streams?: StreamCare; signal: AbortSignal },
): Promise<Bus> {
  const connection = await openConnection({ streams: defaultLimits, ...options });
  const encode = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  return {
    connected: connection.connected,
    onRestored: connection.onRestored,
    publishEvent: async (parts, event) => {
      // Two operators of one Kubernetes cluster tell the same changes, each under the name that it has for it.
      const id = `${parts.kube}/${event.id}`;
      return publish(connection, { subject: eventSubject(parts), payload: encode(event), id });
    },
    redeliverEvent: async (parts, event) => {
      const subject = redeliveredSubject(parts);
      await publish(connection, { subject, payload: encode(event), id: event.id });
    },
    lastEvents: (kube) => lastEvents(connection, kube),
    consumeEvents: (consumeOptions, handler) => consumeEvents(connection, consumeOptions, handler),
    publishDecision: async (kube, key, id, record) =>
      publish(connection, { subject: decisionSubject(kube, key), payload: encode(record), id }),
    async publishRepeat(kube, key, worker, repeat) {
      await publish(connection, { subject: repeatSubject(kube, key, worker), payload: encode(repeat) });
    },
    consumeDecisions: (consumeOptions, handler) => consumeDecisions(connection, consumeOptions, handler),
    laterRecords: (record) => laterRecords(connection, record),
    keptSince: (stream) => keptSince(connection, stream),
    removedCount: (stream) => removedCount(connection, stream),
    read: (readOptions) => read(connection, readOptions),
    bury: (burial) => bury(connection, burial),
    buriedCount: connection.buriedCount,
    redeliveredCount: connection.redeliveredCount,
    close: connection.close,
  };
}
