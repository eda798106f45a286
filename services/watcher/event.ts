import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import { eventSubject } from '../../libs/bus/subjects.ts';
import { isTooDeep } from '../../libs/engine/fit.ts';
import { isError, messageOf } from '../../libs/errors/catalogue.ts';
import { type KubeObject, labels, type ResourceType } from '../../libs/kube/object.ts';
import { redact } from './redact.ts';

export type ChangeType = 'added' | 'modified' | 'deleted';

/** A kind to watch: all its objects where it is the resource of an engine, else those that are labelled as ours. */
export interface WatchedKind {
  type: ResourceType;
  /** The engine whose custom resource this is. */
  engine?: string;
}

/** What every event of one watcher has in common. */
export interface EventContext {
  kube: string;
  /** The engines there are; an object that names another one has no cluster. */
  engines: ReadonlySet<string>;
  digestKey: string;
}

/** The subject of an object's events, or why it has none: a word for the stream DEAD and a sentence. */
export function placeOf(
  object: KubeObject,
  kind: WatchedKind,
  { kube, engines }: EventContext,
): { subject: string } | { reason: 'unlabelled' | 'bad-name'; detail: string } {
  const { name, namespace, labels: given = {} } = object.metadata;
  const engine = kind.engine ?? given[labels.engine];
  const cluster = kind.engine === undefined ? given[labels.cluster] : name;
  const unlabelled = (detail: string) => ({ reason: 'unlabelled', detail }) as const;
  if (namespace === undefined) return unlabelled('the object is in no namespace');
  if (!engine) return unlabelled(`the label ${labels.engine} is missing`);
  if (!engines.has(engine)) return unlabelled(`the label ${labels.engine} names no known engine`);
  if (!cluster) return unlabelled(`the label ${labels.cluster} is missing`);
  try {
    const resource = kind.type.plural;
    return { subject: eventSubject({ kube, engine, namespace, cluster, resource, object: name }) };
  } catch (error) {
    if (!isError(error, 'BUS_SUBJECT')) throw error;
    return { reason: 'bad-name', detail: messageOf(error) };
  }
}

/** The event of a change: the object as it may leave Kubernetes, under an id that every watcher would give it. */
export function eventOf(
  object: KubeObject,
  type: ChangeType,
  { kube, digestKey }: EventContext,
  now: Date,
): EventEnvelope {
  const changedby = lastChangeOf(object).by;
  return {
    specversion: '1.0',
    id: `${versionOf(object)}/${type}`,
    source: `quorate/watcher/${kube}`,
    type: `io.quorate.kube.${type}`,
    time: now.toISOString(),
    datacontenttype: 'application/json',
    // Nobody changes an object by deleting it.
    ...(changedby !== '' && type !== 'deleted' && { changedby }),
    data: isTooDeep(object) ? outlineOf(object) : redact(object, digestKey),
  };
}

/** What of an object tells which one it is and that it changed: an event that wakes a pass, where no more can be told. */
export function outlineOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } =
    metadata;
  const times = {
    ...(creationTimestamp && { creationTimestamp }),
    ...(deletionTimestamp && { deletionTimestamp }),
  };
  const known = { ...(namespace && { namespace }), ...(uid && { uid }), ...(generation && { generation }) };
  return {
    apiVersion,
    kind,
    metadata: { name, ...known, ...(resourceVersion && { resourceVersion }), ...times },
  };
}

/**
 * Who wrote the object last, and when, from its `managedFields`, whose times are whole seconds: `kubectl-patch`, or
 * `quorate/status` where it was a subresource; more than one with commas between, and nobody where nothing is said.
 */
export function lastChangeOf({ metadata }: KubeObject): { by: string; atMs: number | undefined } {
  const entries = (metadata.managedFields ?? []) as {
    manager?: string;
    subresource?: string;
    time?: string;
  }[];
  const latest = entries.map(({ time = '' }) => time).reduce((a, b) => (a > b ? a : b), '');
  const names = entries
    .filter(({ manager, time }) => manager !== undefined && time === latest)
    .map(({ manager, subresource }) => [manager, subresource].filter(Boolean).join('/'));
  const atMs = Date.parse(latest);
  return { by: [...new Set(names)].sort().join(','), atMs: Number.isNaN(atMs) ? undefined : atMs };
}

/** The deletion of an object that vanished unseen: with the last that is known of it. */
export function vanishedEventOf(last: EventEnvelope, context: EventContext, now: Date): EventEnvelope {
  return { ...eventOf(last.data, 'deleted', context, now), data: last.data };
}

/** One state of one object: `<uid>/<resourceVersion>`. */
export function versionOf({ metadata }: KubeObject): string {
  return `${metadata.uid}/${metadata.resourceVersion}`;
}

export function isDeletion(event: EventEnvelope): boolean {
  return event.type === 'io.quorate.kube.deleted';
}
