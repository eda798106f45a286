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
const decisionsPrefix = 'quorate.decisions';
const deadPrefix = 'quorate.dead';

/** Everything that a stream of ours holds, for the stream's own configuration. */
export const allSubjects = {
  events: `${eventsPrefix}.>`,
  decisions: `${decisionsPrefix}.>`,
  dead: `${deadPrefix}.>`,
} as const;

/**
 * `quorate.events.<kube>.<engine>.<namespace>.<cluster>.<resource>.<object>`. NATS separates by dots, so a
 * dot inside a name becomes `_`, which no Kubernetes name contains; `parseEventSubject` turns it back.
 * Throws BUS_SUBJECT where a part is empty or has a character that NATS gives a meaning.
 */
export function eventSubject(parts: EventParts): string {
  const { kube, engine, namespace, cluster, resource, object } = parts;
  return [eventsPrefix, ...[kube, engine, namespace, cluster, resource, object].map(token)].join('.');
}

/** The parts of an event's subject, or `undefined` where the text is no such subject. */
export function parseEventSubject(subject: string): EventParts | undefined {
  const [kube, engine, namespace, cluster, resource, object, ...rest] = tokensAfter(eventsPrefix, subject);
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
  if (key === undefined) return `${eventsPrefix}.${token(kube)}.>`;
  return [eventsPrefix, ...[kube, key.engine, key.namespace, key.name].map(token), '>'].join('.');
}

/** All decisions of a kube, or those on one of its clusters. */
export function decisionFilter(kube: string, key?: ClusterKey): string {
  return key === undefined ? `${decisionsPrefix}.${token(kube)}.>` : decisionSubject(kube, key);
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
