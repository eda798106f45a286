import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { conditionOf, statusOf } from '../../e2e/stage.ts';
import { type Case, namesOf } from './cases.ts';
import { type Path, pathText } from './definition.ts';
import { Raw } from './edit.ts';
import type { Answer } from './send.ts';

/** What became of a case, as it is counted. */
export type Outcome =
  /** The API answered that it is wrong. */
  | 'refused'
  /** Nothing is another than before: what was sent means the same. */
  | 'no change'
  /** A field that nobody knows was left out, and the answer warned of it. */
  | 'warned'
  /** It has been done. */
  | 'converged'
  /** A condition names the field. */
  | 'reported';

/** What is wrong with the answer of the API, if anything. Pure. */
export function faultOfAnswer(given: Case, { status, body, warnings }: Answer): string | undefined {
  const said = `${status} ${body.slice(0, 600)}`;
  if (status >= 500) return `the API broke: ${said}`;
  if (status >= 400) {
    if (given.expected === 'accepted') return `it was refused, and is right: ${said}`;
    // A parser cannot say in which field it was when a text ended to be JSON.
    // A conflict is about the object as a whole.
    const isNamed =
      status === 409 || given.textEdit !== undefined || given.edits.some(({ value }) => value instanceof Raw);
    // Or it names one within what was sent, in quotes.
    const within = given.edits.flatMap(({ value }) => fieldsIn(value)).filter((name) => name !== '');
    const names = [...namesOf(given), ...within.map((name) => `\\"${name}\\"`)];
    if (!isNamed && !names.some((name) => body.toLowerCase().includes(name.toLowerCase())))
      return `the refusal names no field: ${said}`;
    return undefined;
  }
  if (given.expected === 'refused') return `it was accepted, and is wrong: ${said}`;
  const stored = JSON.parse(body) as KubeObject;
  const lost = given.edits.filter(
    ({ path, value }) =>
      value !== undefined && value !== null && isOfClients(path) && valueAt(stored, path) === undefined,
  );
  const silent = lost.filter(({ path }) => !isOverwritten(given, path) && !isWarned(warnings, path));
  if (silent.length === 0) return undefined;
  return `left out without a warning: ${silent.map(({ path }) => pathText(path)).join(', ')}; ${warnings.join('; ')}`;
}

/** The names of all fields of a value, at any depth. */
const fieldsIn = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [
        ...(Array.isArray(value) ? [] : [name]),
        ...fieldsIn(inner),
      ]);

/** Server-side fields of the metadata, and the status, are nobody's to write here, in any Kubernetes. */
const isOfClients = ([first, second]: Path): boolean =>
  first === 'spec' || (first === 'metadata' && second === 'annotations') || first === 'extra';

const isOverwritten = ({ edits }: Case, path: Path): boolean =>
  edits.some(
    (other) => other.path.length < path.length && other.path.every((part, index) => part === path[index]),
  ) || edits.filter((other) => isDeepStrictEqual(other.path, path)).length > 1;

const isWarned = (warnings: string[], path: Path): boolean =>
  warnings.some((warning) => warning.includes(String(path.at(-1))));

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, part) => {
    if (typeof at !== 'object' || at === null) return undefined;
    return Object.getOwnPropertyDescriptor(at, part)?.value;
  }, document);

/** The fields in which two specs differ: `size`, `pod.labels`. */
export function changedFields(before: unknown, after: unknown): string[] {
  const [one, other] = [flat(before), flat(after)];
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((field) => !isDeepStrictEqual(one.get(field), other.get(field)))
    .sort();
}

/** What asks for nothing is as good as absent. */
function flat(spec: unknown): Map<string, unknown> {
  const { pod = {}, ...rest } = spec as { pod?: object };
  const ofPod = Object.entries(pod).map(([name, value]) => [`pod.${name}`, value] as const);
  return new Map([...Object.entries(rest), ...ofPod].filter(([, value]) => !isNothing(value)));
}

const isNothing = (value: unknown): boolean =>
  value === false ||
  value === '' ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/** Where a resource is with its present spec; `undefined` while that is not known. Pure. */
export function stateOf(resource: KubeObject | undefined): 'blocked' | 'paused' | 'settled' | undefined {
  if (!resource) return undefined;
  const status = statusOf(resource);
  const holds = (type: string) => conditionOf(resource, type)?.status === 'True';
  if (status.observedGeneration !== resource.metadata.generation) return undefined;
  if (holds('Blocked')) return 'blocked';
  if (status['controlPaused'] === true) return 'paused';
  const { size } = resource['spec'] as { size: number };
  const rests = !holds('Scaling') && !holds('Recovering') && !holds('Upgrading') && holds('Available');
  return rests && status.phase === 'Running' && status.readyMembers === size ? 'settled' : undefined;
}

/** Whether a condition names the field, e.g. because it waits for new pods. Pure. */
export const isTold = (resource: KubeObject, field: string): boolean =>
  statusOf(resource).conditions?.some(({ message }) => message.includes(`spec.${field}`)) === true;

/** What of an accepted change neither has an effect nor is told by a condition. Pure. */
export function ignoredFields(resource: KubeObject, changed: string[]): string[] {
  const status = statusOf(resource);
  const spec = resource['spec'] as Record<string, unknown>;
  const isDone: Record<string, () => boolean> = {
    size: () => status.size === spec['size'],
    version: () => status['currentVersion'] === String(spec['version']).replace(/^v/, ''),
    paused: () => status['controlPaused'] === spec['paused'],
  };
  // What is blocked or paused as a whole needs to say only why.
  const state = stateOf(resource);
  if (state === 'paused') return [];
  if (state === 'blocked') {
    const message = conditionOf(resource, 'Blocked')?.message ?? '';
    // Where the API refuses a pod for its labels, it names them by their place there: `metadata.labels`.
    const names = (field: string) => [field, field.replace(/^pod\./, 'metadata.')];
    return changed.flatMap(names).some((name) => message.includes(name)) ? [] : changed;
  }
  return changed.filter((field) => !isDone[field]?.() && !isTold(resource, field));
}
