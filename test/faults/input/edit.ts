import type { Path } from './definition.ts';

/** A change of one place in a resource; without a value, what is there is taken away. */
export interface Edit {
  path: Path;
  value?: unknown;
}

/** JSON as it is to be written, where no value of JavaScript stands for it, e.g. a number beyond its range. */
export class Raw {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}

type Container = Record<string | number, unknown>;

/** The document with the edit made; what leads to its place is made where it is missing. */
export function edited(document: object, { path, value }: Edit): object {
  const result = structuredClone(document) as Container;
  let at = result;
  for (const [index, part] of path.slice(0, -1).entries()) {
    const next = typeof path[index + 1] === 'number' ? [] : {};
    // An edit before this one may have put something else there.
    if (!isContainer(at[part], Array.isArray(next))) set(at, part, next);
    at = at[part] as Container;
  }
  const last = path.at(-1) ?? '';
  if (value === undefined) delete at[last];
  else set(at, last, value);
  return result;
}

const isContainer = (value: unknown, isList: boolean): boolean =>
  typeof value === 'object' && value !== null && !(value instanceof Raw) && Array.isArray(value) === isList;

/** Also for a field that is named `__proto__`, which an assignment would not make. */
function set(at: Container, field: string | number, value: unknown): void {
  if (Array.isArray(at)) at[Number(field)] = value;
  else Object.defineProperty(at, field, { value, writable: true, enumerable: true, configurable: true });
}

/** The document as JSON, raw parts as they are. */
export function write(document: unknown): string {
  const raws: string[] = [];
  const text = JSON.stringify(document, (_field, value: unknown) =>
    value instanceof Raw ? `@raw ${raws.push(value.json) - 1}@` : value,
  );
  return text.replaceAll(/"@raw (\d+)@"/g, (_match, index: string) => raws[Number(index)] ?? '');
}

/** The merge patch (RFC 7386) that kubectl sends for an edited custom resource. */
export function mergePatchOf(from: unknown, to: unknown): unknown {
  if (!isPlain(from) || !isPlain(to)) return to;
  const patch: Record<string, unknown> = {};
  for (const field of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [before, after] = [ownValue(from, field), ownValue(to, field)];
    if (after === undefined) set(patch, field, null);
    else if (isPlain(before) && isPlain(after)) {
      const inner = mergePatchOf(before, after);
      if (Object.keys(inner as object).length > 0) set(patch, field, inner);
    } else if (write(before ?? null) !== write(after) || before === undefined) set(patch, field, after);
  }
  return patch;
}

const ownValue = (object: object, field: string): unknown =>
  Object.getOwnPropertyDescriptor(object, field)?.value;

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Raw);
