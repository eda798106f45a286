import type { EventEnvelope } from '../../../libs/bus/envelope.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { type Difference, differences, isRestless } from './differences.ts';

/** What an event says in words: what of its object changed, and who did it. */
export interface Change {
  type: 'change';
  time: string;
  /** As kubectl names it, e.g. `pod/example-1`. */
  object: string;
  uid: string;
  change: 'added' | 'modified' | 'deleted';
  /** The event's id, by which passes say what woke them. */
  event: string;
  /** Who wrote it last, where Kubernetes says so. */
  by?: string;
  /** The id of the event that this one repeats, where it was delivered again. */
  redeliveryOf?: string;
  /** What changed that means something; empty where it was only times and counters. */
  differences: Difference[];
}

/** How kubectl calls the kinds, shortest first, and how their paths do. */
const kinds: Record<string, { short: string[]; plural: string }> = {
  Pod: { short: ['pod', 'po'], plural: 'pods' },
  PersistentVolumeClaim: { short: ['pvc', 'persistentvolumeclaim'], plural: 'persistentvolumeclaims' },
  Service: { short: ['service', 'svc'], plural: 'services' },
  PodDisruptionBudget: { short: ['pdb', 'poddisruptionbudget'], plural: 'poddisruptionbudgets' },
};

/** `pod/example-1` */
export const nameOf = ({ kind, metadata }: KubeObject): string =>
  `${kinds[kind]?.short[0] ?? kind.toLowerCase()}/${metadata.name}`;

/** The same from the kind as in API paths. */
export function shownName(resource: string, name: string): string {
  const kind = Object.values(kinds).find(({ plural }) => plural === resource);
  return `${kind?.short[0] ?? resource}/${name}`;
}

/** The kind as in API paths, e.g. `pods`, from any of the words that kubectl takes; `undefined` for another word. */
export function pluralOf(word: string): string | undefined {
  return Object.values(kinds).find(({ short, plural }) => plural === word || short.includes(word))?.plural;
}

/** Conditions of pods that follow from `Ready`, or lead to it and are no news. */
const derived = new Set(['ContainersReady', 'Initialized', 'PodReadyToStartContainers']);

/** What an event tells, compared with the object as the event before it told. Pure. */
export function changeOf(event: EventEnvelope, previous: KubeObject | undefined): Change {
  const { data, id, time, changedby, redeliveryof } = event;
  const change = event.type.slice('io.quorate.kube.'.length) as Change['change'];
  const found = change === 'modified' && previous ? meaningful(previous, data) : begun(event);
  const by = change === 'deleted' ? '' : authorOf(changedby, found);
  return {
    type: 'change',
    time,
    object: nameOf(data),
    uid: data.metadata.uid ?? '',
    change,
    event: id,
    ...(by && { by }),
    ...(redeliveryof !== undefined && { redeliveryOf: redeliveryof }),
    differences: found,
  };
}

/** Of an object that appears: what a person asked for, which is in resources alone. */
function begun({ data, type }: EventEnvelope): Difference[] {
  const isAsked = type === 'io.quorate.kube.added' && kinds[data.kind] === undefined;
  return isAsked ? differences({}, data['spec'] ?? {}, ['spec']) : [];
}

function meaningful(before: KubeObject, after: KubeObject): Difference[] {
  const found = differences(withoutConditions(before), withoutConditions(after));
  return [...turned(conditionsOf(before), conditionsOf(after)), ...found].flatMap((difference) => {
    if (difference.path.at(-1) === 'deletionTimestamp') return [{ path: ['deletion'], after: 'asked for' }];
    return difference.path.some(isRestless) ? [] : [difference];
  });
}

interface Condition {
  type: string;
  status?: string;
  reason?: string;
  message?: string;
}

const statusOf = (object: KubeObject) => (object['status'] ?? {}) as { conditions?: Condition[] };

function withoutConditions(object: KubeObject): object {
  const { conditions, ...status } = statusOf(object);
  return { ...object, status };
}

const conditionsOf = (object: KubeObject) =>
  new Map((statusOf(object).conditions ?? []).map((condition) => [condition.type, condition]));

/** Conditions that turned or have another reason; when, and with which numbers, follows from the rest. */
function turned(before: Map<string, Condition>, after: Map<string, Condition>): Difference[] {
  return [...after.values()].flatMap(({ type, status, reason, message }): Difference[] => {
    const path = ['status', 'conditions', type];
    const was = before.get(type);
    // What has never held before is no news while it does not hold.
    if (derived.has(type) || (was === undefined && status !== 'True')) return [];
    const note = [reason, message].filter(Boolean).join(': ');
    const told = note === '' ? {} : { note };
    if (was?.status !== status) return [{ path, ...(was && { before: was.status }), after: status, ...told }];
    if (was?.reason === reason) return [];
    return [
      { path: [...path, 'reason'], before: was?.reason, after: reason, ...(message && { note: message }) },
    ];
  });
}

/** Of those who wrote in the same second, the one who can have written this; nobody where that is not certain. */
function authorOf(changedBy: string | undefined, found: Difference[]): string | undefined {
  const inStatus = found.filter(({ path }) => path[0] === 'status').length;
  const isMixed = inStatus > 0 && inStatus < found.length;
  if (changedBy === undefined || isMixed || found.every(({ path }) => path[0] === 'deletion'))
    return undefined;
  const names = changedBy.split(',').map((each) => each.split('/'));
  const fitting = names.filter(([, subresource]) => (subresource === 'status') === inStatus > 0);
  return fitting.map(([name]) => name).join(', ') || undefined;
}

/** A person's wish: the resource appears, goes, or has another spec. */
export const isAsked = ({ change, differences: found }: Change): boolean =>
  change !== 'modified' || found.some(({ path }) => path[0] === 'spec' || path[0] === 'deletion');

/** What takes something away: that a thing comes up is what passes wait for, and not what they are woken for. */
export function isSetback({ change, differences: found }: Change): boolean {
  if (change !== 'modified') return change === 'deleted';
  return found.some(({ path, after }) => {
    const last = path.at(-1);
    if (path[0] === 'deletion' || last === 'restartCount' || last === 'terminated') return true;
    return last === 'phase' ? after === 'Failed' || after === 'Lost' : last === 'Ready' && after !== 'True';
  });
}
