import { isDeepStrictEqual } from 'node:util';
import { comparable } from '../../../libs/engine/secrets.ts';

/** A place where two JSON values differ; `before` or `after` is absent where there was or is nothing. */
export interface Difference {
  /** The names of fields, and in lists of named things their names. */
  path: string[];
  before?: unknown;
  after?: unknown;
  /** What belongs to it, e.g. a condition's reason and message. */
  note?: string;
}

type Fields = Record<string, unknown>;

/** Fields that change with everything, or with nothing that means anything. */
const restless = new Set([
  ...['resourceVersion', 'generation', 'observedGeneration', 'managedFields', 'creationTimestamp', 'uid'],
  ...['lastTransitionTime', 'lastUpdateTime', 'lastProbeTime', 'lastHeartbeatTime', 'startTime', 'startedAt'],
  ...['finishedAt', 'containerID', 'imageID', 'started', 'podIPs', 'hostIPs', 'hostIP', 'qosClass'],
  ...['containerId', 'ownerUid', 'sinceMs', 'runsSinceMs', 'endsByMs'],
  ...['kubectl.kubernetes.io/last-applied-configuration', 'disruptedPods', 'deletionGracePeriodSeconds'],
]);

/** Whether a field by that name tells a person nothing when it changes. */
export const isRestless = (name: string): boolean => restless.has(name);

/** By which of their fields the things of a list are told apart, the first that all of them have. */
const identities = ['name', 'type', 'id', 'ip', 'port'];

/**
 * Where two JSON values differ, sorted by path. Things of a list are compared with those of the same name, so that
 * one more does not shift the rest. Answers of an observation are taken for what was answered, and texts of JSON for
 * what they say. Pure.
 */
export function differences(before: unknown, after: unknown, path: string[] = []): Difference[] {
  const [one, other] = listed(readable(before), readable(after));
  if (isDeepStrictEqual(one, other)) return [];
  if (typeof one === 'string' && typeof other === 'string') {
    const [left, right] = comparable(one, other);
    return left === right ? [] : [difference(path, left, right)];
  }
  const [left, right] = [fieldsOf(one, other), fieldsOf(other, one)];
  if (left === undefined || right === undefined) return [difference(path, one, other)];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return names.flatMap((name) => differences(left[name], right[name], [...path, name]));
}

/** Where a list begins or ends to be, as an empty one before or after. */
function listed(one: unknown, other: unknown): [unknown, unknown] {
  if (one === undefined && Array.isArray(other)) return [[], other];
  if (other === undefined && Array.isArray(one)) return [one, []];
  return [one, other];
}

const difference = (path: string[], before: unknown, after: unknown): Difference => ({
  path,
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after }),
});

/** What an answer says (`Answer` in libs/engine/contract.ts), and what a text of JSON says. */
export function readable(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith('{')) {
    try {
      return JSON.parse(value);
    } catch {
      // It only looks like JSON, and is compared as the text it is.
      return value;
    }
  }
  if (!isFields(value) || typeof value['ok'] !== 'boolean') return value;
  return value['ok'] ? value['value'] : `${unanswered}${value['error']}`;
}

export const unanswered = 'no answer: ';

/** Whether this is what `readable` makes of an answer that failed. */
export function noAnswer(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(unanswered);
}

/** The named parts of a value, where the other can be compared part by part. */
function fieldsOf(value: unknown, other: unknown): Fields | undefined {
  if (isFields(value) && isFields(other)) return value;
  if (!Array.isArray(value) || !Array.isArray(other)) return undefined;
  if (value.length + other.length === 0) return undefined;
  const identity = identities.find((name) =>
    [...value, ...other].every((item) => isFields(item) && nameIn(item, name) !== undefined),
  );
  if (identity === undefined) return undefined;
  return Object.fromEntries(value.map((item) => [nameIn(item, identity), item]));
}

/** Names of things that have none yet are empty texts, and tell nothing apart. */
function nameIn(item: Fields, identity: string): string | undefined {
  const name = item[identity];
  return typeof name === 'string' || typeof name === 'number' ? String(name) || undefined : undefined;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
