export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value where it is an object, else an empty one: for reading optional parts of what a client sent. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value at a path of plain field names. */
export function valueAt(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((inner, field) => objectOf(inner)[field], value);
}

/** A copy of `object` without some fields. */
export function without<T extends object>(object: T, ...fields: string[]): T {
  const copy = { ...object };
  for (const field of fields) delete (copy as JsonObject)[field];
  return copy;
}

/** A copy of `object` with the value at the path replaced; objects on the way are made where missing. */
export function withValueAt(object: JsonObject, path: string[], value: unknown): JsonObject {
  const [field, ...rest] = path;
  if (field === undefined) return object;
  return {
    ...object,
    [field]: rest.length === 0 ? value : withValueAt(objectOf(object[field]), rest, value),
  };
}
