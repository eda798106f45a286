import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import { parseEventSubject } from '../../libs/bus/subjects.ts';
import type { WatchableKube } from '../../libs/kube/client.ts';
import { formatKey } from '../../libs/kube/key.ts';
import { type KubeObject, labels } from '../../libs/kube/object.ts';
import { watchObjects } from '../../libs/kube/watch.ts';
import type { Log } from '../../libs/service/log.ts';
import type { Outage } from '../../libs/service/outage.ts';
import { type SpanAttributes, type Tracing, traced } from '../../libs/service/tracing.ts';
import { missingEvents } from './compare.ts';
import type { Delivery } from './delivery.ts';
import {
  type ChangeType,
  type EventContext,
  eventOf,
  placeOf,
  vanishedEventOf,
  versionOf,
  type WatchedKind,
} from './event.ts';
import { redact } from './redact.ts';

/** Publishes every change of the objects of one kind, one after the other, so that they stay in order. */
export interface Follower {
  /** What this watcher knows to be the last event of each living object: its subject and version. */
  readonly published: ReadonlyMap<string, string>;
  /**
   * Notes which of the events published `before` are not in the stream's `last`, although nothing happened to
   * their objects since, and returns how many. The next list publishes them again.
   */
  miss(before: ReadonlyMap<string, string>, last: ReadonlyMap<string, EventEnvelope>): number;
  /** Lists, publishes what the stream does not tell yet, and goes on from there until the signal is aborted. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface FollowerOptions {
  kube: WatchableKube;
  kind: WatchedKind;
  /** The only one to look at; all of them without it. */
  namespace?: string;
  context: EventContext;
  delivery: Delivery;
  tracing: Tracing;
  log: Log;
  /** Where to tell that the API cannot be reached. */
  outage: Outage;
  /** As of `watchObjects`. */
  silenceMs?: number;
  /** As of `runWatcher`. */
  published?: (changed: KubeObject) => void;
}

export function createFollower(options: FollowerOptions): Follower {
  const { kube, kind, namespace, context, delivery, tracing, log, outage, silenceMs } = options;
  const published = new Map<string, string>();
  /** Which version of an object is in DEAD, as long as the object is there: once is enough for each. */
  const buried = new Map<string, string>();
  /** Subjects of events that were removed from the stream. */
  const missed = new Set<string>();

  const addressOf = ({ metadata: { namespace = '', name } }: KubeObject): string =>
    [context.kube, kind.type.plural, namespace, name].join('/');

  async function onChange(type: ChangeType, object: KubeObject, signal: AbortSignal): Promise<void> {
    const subject = await subjectOf(object, signal);
    if (type === 'deleted') buried.delete(addressOf(object));
    if (subject === undefined) return;
    await publish(subject, eventOf(object, type, context, new Date()), signal);
    // Of a deletion, Kubernetes does not say when it was.
    if (type !== 'deleted') options.published?.(object);
  }

  async function onListed(
    items: KubeObject[],
    last: ReadonlyMap<string, EventEnvelope>,
    signal: AbortSignal,
  ): Promise<void> {
    const listed = new Map<string, KubeObject>();
    for (const item of items) {
      const subject = await subjectOf(item, signal);
      if (subject !== undefined) listed.set(subject, item);
    }
    const present = new Set(items.map(addressOf));
    for (const address of buried.keys()) if (!present.has(address)) buried.delete(address);
    const missing = missingEvents(listed, lastIn(last, namespace), kind.type);
    const unpublished = new Set(missing.map(({ subject }) => subject));
    published.clear();
    for (const [subject, object] of listed) {
      if (!unpublished.has(subject)) published.set(subject, versionOf(object));
    }
    for (const change of missing) {
      const { subject } = change;
      if (change.type === 'vanished') {
        await publish(subject, vanishedEventOf(change.last, context, new Date()), signal);
      } else {
        const event = eventOf(change.object, change.type, context, new Date());
        // NATS still remembers the id of an event that somebody removed, and would take it for a duplicate.
        const id = missed.has(subject) ? `${event.id}/${event.time}` : event.id;
        await publish(subject, { ...event, id }, signal);
      }
    }
    missed.clear();
  }

  async function publish(subject: string, event: EventEnvelope, signal: AbortSignal): Promise<void> {
    await traced(tracing, 'publish event', { attributes: attributesOf(subject, event) }, (traceparent) =>
      delivery.publish(subject, { ...event, traceparent }, signal),
    );
    const version = versionOf(event.data);
    if (event.type === 'io.quorate.kube.deleted') published.delete(subject);
    else published.set(subject, version);
  }

  /** Where the object's events go; an object that belongs to no cluster is put aside. */
  async function subjectOf(object: KubeObject, signal: AbortSignal): Promise<string | undefined> {
    const place = placeOf(object, kind, context);
    if ('subject' in place) return place.subject;
    const address = addressOf(object);
    if (buried.get(address) === versionOf(object)) return undefined;
    const payload = JSON.stringify(redact(object, context.digestKey));
    await delivery.bury({ ...place, subject: address, payload }, signal);
    buried.set(address, versionOf(object));
    return undefined;
  }

  return {
    published,
    miss(before, last) {
      for (const [subject, version] of before) {
        const event = last.get(subject);
        const isThere = event !== undefined && versionOf(event.data) === version;
        if (!isThere && published.get(subject) === version) missed.add(subject);
      }
      return missed.size;
    },
    async follow(signal) {
      const ours = { [labels.managedBy]: labels.managedByValue };
      let last: ReadonlyMap<string, EventEnvelope> = new Map();
      try {
        for await (const change of watchObjects({
          kube,
          type: kind.type,
          ...(namespace === undefined ? {} : { namespace }),
          ...(kind.engine === undefined ? { labels: ours } : {}),
          ...(silenceMs === undefined ? {} : { silenceMs }),
          log,
          outage,
          signal,
        })) {
          if (change.type === 'listing') last = await delivery.lastEvents(signal);
          else if (change.type === 'listed') await onListed(change.items, last, signal);
          else await onChange(change.type, change.object, signal);
        }
      } catch (error) {
        // An interrupted delivery is made good by the next list.
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** What was told of the namespace, of which alone a list of it can say that something vanished. */
function lastIn(
  last: ReadonlyMap<string, EventEnvelope>,
  namespace: string | undefined,
): ReadonlyMap<string, EventEnvelope> {
  if (namespace === undefined) return last;
  return new Map([...last].filter(([, { data }]) => data.metadata.namespace === namespace));
}

function attributesOf(subject: string, event: EventEnvelope): SpanAttributes {
  const parts = parseEventSubject(subject);
  return {
    ...(parts && {
      'quorate.kube': parts.kube,
      'quorate.key': formatKey({ ...parts, name: parts.cluster }),
      'quorate.engine': parts.engine,
      'quorate.object': `${parts.resource}/${parts.object}`,
    }),
    'quorate.event': event.id,
  };
}
