import { badRequest } from '../status.ts';
import { isObject, type JsonObject } from './json.ts';

/** An OpenAPI v3 schema as CustomResourceDefinitions have it; also how the built-in kinds are described. */
export interface Schema {
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  required?: string[];
  default?: unknown;
  nullable?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  [keyword: string]: unknown;
}

/** The schema of a field, or `undefined` where the schema says nothing about it. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  // A field may be named as what every object has by itself, e.g. `constructor`.
  if (schema?.properties && Object.hasOwn(schema.properties, field)) return schema.properties[field];
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/**
 * Removes the fields that the schema does not know and adds their paths to `unknown`, e.g.
 * `spec.containers[0].foo`. What did not change is shared with `value`.
 */
export function prune(value: unknown, schema: Schema | undefined, unknown: string[], path = ''): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => prune(item, schema.items, unknown, `${path}[${index}]`));
  }
  if (!isObject(value) || schema['x-kubernetes-int-or-string']) return value;
  const result: JsonObject = {};
  for (const [field, inner] of Object.entries(value)) {
    const at = path === '' ? field : `${path}.${field}`;
    const known = fieldSchema(schema, field);
    if (known) result[field] = prune(inner, known, unknown, at);
    else if (keepsUnknown(schema) || isTypeField(schema, field)) result[field] = inner;
    else unknown.push(at);
  }
  return result;
}

function keepsUnknown(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true;
}

/** An embedded object has its type and metadata without the schema saying so. */
function isTypeField(schema: Schema, field: string): boolean {
  return (
    schema['x-kubernetes-embedded-resource'] === true && ['apiVersion', 'kind', 'metadata'].includes(field)
  );
}

/**
 * Removes the fields that are null and may not be: for a client that is the same as leaving them out. Those of lists
 * stay, and are wrong.
 */
export function pruneNulls(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => pruneNulls(item, schema.items));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [field, inner] of Object.entries(value)) {
    const known = fieldSchema(schema, field);
    if (inner !== null || known === undefined || known.nullable) result[field] = pruneNulls(inner, known);
  }
  return result;
}

/** Fills in the schema's defaults, also inside of what they fill in. */
export function applyDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => applyDefaults(item, schema.items));
  if (!isObject(value)) return value;
  const result: JsonObject = { ...value };
  for (const [field, property] of Object.entries(schema.properties ?? {})) {
    if (result[field] === undefined && property.default !== undefined)
      result[field] = structuredClone(property.default);
    if (result[field] !== undefined) result[field] = applyDefaults(result[field], property);
  }
  if (typeof schema.additionalProperties === 'object') {
    for (const field of Object.keys(result)) {
      if (schema.properties?.[field]) continue;
      result[field] = applyDefaults(result[field], schema.additionalProperties);
    }
  }
  return result;
}

/**
 * Reads a value as one of the built-in types, whose decoder drops nulls and refuses wrong types before anything
 * else is looked at. Throws BadRequest naming the field.
 */
export function decode(value: unknown, schema: Schema | undefined, what: string, path = ''): unknown {
  if (schema === undefined) return value;
  if (!hasType(value, schema)) {
    const got = Array.isArray(value) ? 'array' : typeof value;
    throw badRequest(`${what}: json: cannot unmarshal ${got} into field ${path} of type ${schema.type}`);
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => decode(item, schema.items, what, `${path}[${index}]`));
  }
  if (schema.format === 'quantity') return quantityOf(String(value), what);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [field, inner] of Object.entries(value)) {
    if (inner === null || inner === undefined) continue;
    const at = path === '' ? field : `${path}.${field}`;
    result[field] = decode(inner, fieldSchema(schema, field), what, at);
  }
  return result;
}

/** Sign, digits, and a binary, decimal or exponential suffix (Kubernetes API reference, "Quantity"). */
function quantityOf(text: string, what: string): string {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/.test(text)) return text;
  const pattern = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';
  throw badRequest(`${what}: quantities must match the regular expression '${pattern}'`);
}

function hasType(value: unknown, schema: Schema): boolean {
  if (schema['x-kubernetes-int-or-string']) return typeof value === 'string' || typeof value === 'number';
  switch (schema.type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value === schema.type;
    default:
      return true;
  }
}
