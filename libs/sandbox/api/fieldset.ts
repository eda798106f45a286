import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from './json.ts';
import { fieldSchema, type Schema } from './schema.ts';

/**
 * A set of fields in the form of `managedFields[].fieldsV1`: nested objects whose keys are `f:<field>`,
 * `k:<key fields of a list's item as JSON>` or `v:<a set's item as JSON>`; an empty object is a leaf, and `.` beside
 * children names the item itself. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export interface FieldSet {
  [key: string]: FieldSet;
}

/** How a list is merged: item by item by key, as a set of values, or as one value. */
export function listTopology(schema: Schema | undefined): 'map' | 'set' | 'atomic' {
  const type = schema?.['x-kubernetes-list-type'];
  return type === 'map' || type === 'set' ? type : 'atomic';
}

/** The key of an item in a list that is a map or a set; the key fields' own defaults stand in for absent ones. */
export function itemKey(item: unknown, schema: Schema | undefined): string {
  if (listTopology(schema) === 'set') return `v:${JSON.stringify(item)}`;
  const keys = [...(schema?.['x-kubernetes-list-map-keys'] ?? [])].sort();
  const entries = keys.map((key) => {
    const value = isObject(item) ? item[key] : undefined;
    return [
      key,
      value ?? schema?.items?.properties?.[key]?.default ?? (key === 'protocol' ? 'TCP' : undefined),
    ];
  });
  return `k:${JSON.stringify(Object.fromEntries(entries))}`;
}

const isLeaf = (set: FieldSet): boolean => Object.keys(set).length === 0;

/** The fields that `value` names, down to scalars and to what is merged only as a whole. */
export function fieldsOf(value: unknown, schema: Schema | undefined): FieldSet {
  const result: FieldSet = {};
  if (Array.isArray(value) && listTopology(schema) !== 'atomic') {
    for (const item of value) {
      const key = itemKey(item, schema);
      result[key] = key.startsWith('k:') ? { '.': {}, ...fieldsOf(item, schema?.items) } : {};
    }
  } else if (isObject(value) && schema?.['x-kubernetes-map-type'] !== 'atomic') {
    for (const [field, inner] of Object.entries(value)) {
      result[`f:${field}`] = fieldsOf(inner, fieldSchema(schema, field));
    }
  }
  return result;
}

/** What an object's manager may own: everything but its identity and what the server keeps. */
export function ownableFields(object: JsonObject, schema: Schema): FieldSet {
  const fields = fieldsOf(object, schema);
  const metadata: FieldSet = { ...fields['f:metadata'] };
  for (const field of serverMetadata) delete metadata[`f:${field}`];
  const result: FieldSet = { ...fields, 'f:metadata': metadata };
  delete result['f:apiVersion'];
  delete result['f:kind'];
  if (isLeaf(metadata)) delete result['f:metadata'];
  return result;
}

const serverMetadata = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
  'generateName',
];

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = { ...a };
  for (const [key, inner] of Object.entries(b)) result[key] = union(a[key] ?? {}, inner);
  return result;
}

/** `a` without the leaves of `b`. A branch that loses all its leaves goes with them. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = {};
  for (const [key, inner] of Object.entries(a)) {
    const other = b[key];
    if (other === undefined) result[key] = inner;
    else if (!isLeaf(inner) && !isLeaf(other)) {
      const rest = difference(inner, other);
      if (!isLeaf(rest)) result[key] = rest;
    }
  }
  return result;
}

/** The leaves that both have; where one has a leaf and the other goes deeper, the deeper ones. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = {};
  for (const [key, inner] of Object.entries(a)) {
    const other = b[key];
    if (other === undefined) continue;
    if (isLeaf(inner) || isLeaf(other)) result[key] = isLeaf(inner) ? other : inner;
    else {
      const both = intersection(inner, other);
      if (!isLeaf(both)) result[key] = both;
    }
  }
  return result;
}

/** The fields of `next` that are new or have another value than in `old`. */
export function changedFields(old: unknown, next: unknown, schema: Schema | undefined): FieldSet {
  const result: FieldSet = {};
  if (isObject(next) && isObject(old) && schema?.['x-kubernetes-map-type'] !== 'atomic') {
    for (const [field, value] of Object.entries(next)) {
      if (isDeepStrictEqual(value, old[field])) continue;
      const inner = fieldSchema(schema, field);
      const changed = field in old ? changedFields(old[field], value, inner) : fieldsOf(value, inner);
      if (!isLeaf(changed) || isWhole(old[field], value, inner)) result[`f:${field}`] = changed;
    }
  } else if (Array.isArray(next) && Array.isArray(old) && listTopology(schema) !== 'atomic') {
    const before = new Map(old.map((item) => [itemKey(item, schema), item]));
    for (const item of next) {
      const key = itemKey(item, schema);
      const fresh: FieldSet = key.startsWith('k:') ? { '.': {}, ...fieldsOf(item, schema?.items) } : {};
      if (!before.has(key)) result[key] = fresh;
      else if (!isDeepStrictEqual(before.get(key), item)) {
        const changed = changedFields(before.get(key), item, schema?.items);
        if (!isLeaf(changed)) result[key] = changed;
      }
    }
  }
  return result;
}

/** Whether a changed value is one leaf, rather than a container that only lost something. */
function isWhole(old: unknown, next: unknown, schema: Schema | undefined): boolean {
  if (isObject(next)) return !isObject(old) || schema?.['x-kubernetes-map-type'] === 'atomic';
  if (Array.isArray(next)) return !Array.isArray(old) || listTopology(schema) === 'atomic';
  return true;
}

/** The leaves as paths for messages, e.g. `.spec.containers[name="etcd"].image`. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  return Object.entries(set).flatMap(([key, inner]) => {
    if (key === '.') return [prefix];
    const path = `${prefix}${pathPart(key)}`;
    return isLeaf(inner) ? [path] : pathsOf(inner, path);
  });
}

function pathPart(key: string): string {
  if (key.startsWith('f:')) return `.${key.slice(2)}`;
  if (key.startsWith('v:')) return `[=${key.slice(2)}]`;
  const keys = Object.entries(JSON.parse(key.slice(2)) as JsonObject);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}
