import { QuorateError } from '../errors/catalogue.ts';
import type { ClusterKey } from '../kube/key.ts';

/** What an event's subject says: which object of which cluster of which kube. */
export interface EventParts {
  kube: string;
  engine: string;
  namespace: string;
  /** The name of the cluster's custom resource. */
  cluster: string;
  /** The object's kind as in API paths, e.g. `pods`. */
  resource: string;
  /** The object's name. */
  object: string;
}

const eventsPrefix = 'quorate.events';
/** Apart from the events, so that the last message of a subject stays the last known state of the object. */
const redeliveredPrefix = 'quorate.redelivered';
const decisionsPrefix = 'quorate.decisions';
const repeatsPrefix = 'quorate.repeats';
const deadPrefix = 'quorate.dead';

/** Everything that a stream of ours holds, for the stream's own configuration. */
export const allSubjects = {
  events: [`${eventsPrefix}.>`, `${redeliveredPrefix}.>`],
  decisions: [`${decisionsPrefix}.>`],
  repeats: [`${repeatsPrefix}.>`],
  dead: [`${deadPrefix}.>`],
} as const;

/**
 * `quorate.events.<kube>.<engine>.<namespace>.<cluster>.<resource>.<object>`. NATS separates by dots, so a
 * dot inside a name becomes `_`, which no Kubernetes name contains; `parseEventSubject` turns it back.
 * Throws BUS_SUBJECT where a part is empty or has a character that NATS gives a meaning.
 */
export function eventSubject(parts: EventParts): string {
  return [eventsPrefix, ...tokensOf(parts)].join('.');
}

/** The same with `quorate.redelivered`, for an event that a person has delivered again. */
export function redeliveredSubject(parts: EventParts): string {
  return [redeliveredPrefix, ...tokensOf(parts)].join('.');
}

const tokensOf = ({ kube, engine, namespace, cluster, resource, object }: EventParts): string[] =>
  [kube, engine, namespace, cluster, resource, object].map(token);

/** The parts of an event's subject, of a redelivered one too, or `undefined` where the text is no such subject. */
export function parseEventSubject(subject: string): EventParts | undefined {
  const prefix = subject.startsWith(redeliveredPrefix) ? redeliveredPrefix : eventsPrefix;
  const [kube, engine, namespace, cluster, resource, object, ...rest] = tokensAfter(prefix, subject);
  if (!kube || !engine || !namespace || !cluster || !resource || !object || rest.length > 0) return undefined;
  return { kube, engine, namespace, cluster, resource, object };
}

/** `quorate.decisions.<kube>.<engine>.<namespace>.<cluster>`; throws BUS_SUBJECT as `eventSubject` does. */
export function decisionSubject(kube: string, key: ClusterKey): string {
  return [decisionsPrefix, ...[kube, key.engine, key.namespace, key.name].map(token)].join('.');
}

/** The kube and the key of a decision's subject, or `undefined` where the text is no such subject. */
export function parseDecisionSubject(subject: string): { kube: string; key: ClusterKey } | undefined {
  const [kube, engine, namespace, name, ...rest] = tokensAfter(decisionsPrefix, subject);
  if (!kube || !engine || !namespace || !name || rest.length > 0) return undefined;
  return { kube, key: { engine, namespace, name } };
}

/** `quorate.dead.<reason>` */
export function deadSubject(reason: string): string {
  return `${deadPrefix}.${token(reason)}`;
}

/** Everything that ever happened in a kube, or to one of its clusters. */
export function eventFilter(kube: string, key?: ClusterKey): string {
  return `${eventsPrefix}.${clusterTokens(kube, key)}.>`;
}

/** All redelivered events of a kube, or of one of its clusters. */
export function redeliveredFilter(kube: string, key?: ClusterKey): string {
  return `${redeliveredPrefix}.${clusterTokens(kube, key)}.>`;
}

const clusterTokens = (kube: string, key: ClusterKey | undefined): string =>
  [kube, ...(key ? [key.engine, key.namespace, key.name] : [])].map(token).join('.');

/** The events of one object, whatever its cluster. */
export function objectFilter(kube: string, namespace: string, resource: string, object: string): string {
  return [eventsPrefix, token(kube), '*', token(namespace), '*', token(resource), token(object)].join('.');
}

/** All decisions of a kube, or those on one of its clusters. */
export function decisionFilter(kube: string, key?: ClusterKey): string {
  return key === undefined ? `${decisionsPrefix}.${token(kube)}.>` : decisionSubject(kube, key);
}

/**
 * `quorate.repeats.<kube>.<engine>.<namespace>.<cluster>.<worker>`, on which the last message counts. A worker may
 * have any name: what NATS gives a meaning becomes a dash.
 */
export function repeatSubject(kube: string, key: ClusterKey, worker: string): string {
  const names = [kube, key.engine, key.namespace, key.name].map(token);
  return [repeatsPrefix, ...names, worker.replaceAll(/[^A-Za-z0-9-]/g, '-')].join('.');
}

/** The repeats of all workers about all clusters of a kube, or about one. */
export function repeatFilter(kube: string, key?: ClusterKey): string {
  const names = key === undefined ? [kube] : [kube, key.engine, key.namespace, key.name];
  return [repeatsPrefix, ...names.map(token), '>'].join('.');
}

function token(name: string): string {
  if (name === '' || /[\s*>_]/.test(name)) {
    throw new QuorateError('BUS_SUBJECT', JSON.stringify(name), { name });
  }
  return name.replaceAll('.', '_');
}

function tokensAfter(prefix: string, subject: string): string[] {
  if (!subject.startsWith(`${prefix}.`)) return [];
  return subject
    .slice(prefix.length + 1)
    .split('.')
    .map((part) => part.replaceAll('_', '.'));
}
