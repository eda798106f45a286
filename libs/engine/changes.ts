import { isDeepStrictEqual } from 'node:util';

export interface Change {
  /** E.g. `spec.size`. */
  field: string;
  before: unknown;
  after: unknown;
}

/** Which fields differ, by their paths and sorted; `undefined` where there is none. Lists are compared as a whole. Pure. */
export function changesBetween(before: unknown, after: unknown, path = 'spec'): Change[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isFields(before) || !isFields(after)) return [{ field: path, before, after }];
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return fields.flatMap((field) => changesBetween(before[field], after[field], `${path}.${field}`));
}

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
