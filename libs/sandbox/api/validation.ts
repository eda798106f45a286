import { Ajv, type ErrorObject } from 'ajv';
import type { StatusCause } from '../status.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Schema } from './schema.ts';

export type Validate = (object: unknown) => StatusCause[];

const ajv = new Ajv({ strict: false, allErrors: true, verbose: true, validateFormats: false });
const subschemas = ['items', 'additionalProperties', 'not'];
const schemaLists = ['allOf', 'anyOf', 'oneOf'];

/** Compiles a CRD's schema to a check that answers in the API server's own words. */
export function compileSchema(schema: Schema): Validate {
  const check = ajv.compile(toJsonSchema(schema) as object);
  return (object) => {
    if (check(object)) return [];
    const errors = check.errors ?? [];
    return errors.filter((error) => !isWithinFailedChoice(error, errors)).map(causeOf);
  };
}

/** What differs from plain JSON schema: `nullable` without a type, int-or-string, and OpenAPI's own keywords. */
function toJsonSchema(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const result: JsonObject = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword.startsWith('x-kubernetes-') || keyword === 'default' || keyword === 'example') continue;
    if (keyword === 'nullable') continue;
    if (keyword === 'properties' && isObject(value)) {
      result[keyword] = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toJsonSchema(v)]));
    } else if (schemaLists.includes(keyword) && Array.isArray(value))
      result[keyword] = value.map(toJsonSchema);
    else if (subschemas.includes(keyword)) result[keyword] = toJsonSchema(value);
    else if (keyword === 'exclusiveMinimum' && value === true) result[keyword] = schema['minimum'];
    else if (keyword === 'exclusiveMaximum' && value === true) result[keyword] = schema['maximum'];
    else if (typeof value !== 'boolean' || !keyword.startsWith('exclusive')) result[keyword] = value;
  }
  if (schema['x-kubernetes-int-or-string'] === true) result['type'] = ['integer', 'string'];
  if (schema['nullable'] === true) {
    if (typeof result['type'] === 'string') result['type'] = [result['type'], 'null'];
    if (Array.isArray(result['enum'])) result['enum'] = [...result['enum'], null];
  }
  return result;
}

/** The branches of a failed oneOf or anyOf say little; the choice itself is reported. */
function isWithinFailedChoice(error: ErrorObject, all: ErrorObject[]): boolean {
  return all.some(
    (other) =>
      other !== error &&
      (other.keyword === 'oneOf' || other.keyword === 'anyOf' || other.keyword === 'not') &&
      error.schemaPath.startsWith(`${other.schemaPath}/`),
  );
}

function causeOf(error: ErrorObject): StatusCause {
  const path = fieldPath(error.instancePath);
  const { keyword, data } = error;
  const params = error.params as JsonObject;
  const invalid = (text: string, value: unknown = data): StatusCause => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${text}`,
    field: path,
  });
  const inBody = `${path} in body`;
  switch (keyword) {
    case 'required': {
      const field = path === '' ? String(params['missingProperty']) : `${path}.${params['missingProperty']}`;
      return { reason: 'FieldValueRequired', message: 'Required value', field };
    }
    case 'type': {
      const wanted = [params['type']].flat().join(',');
      const got = typeName(data);
      return {
        reason: 'FieldValueTypeInvalid',
        message: `Invalid value: "${got}": ${inBody} must be of type ${wanted}: "${got}"`,
        field: path,
      };
    }
    case 'enum': {
      const values = (params['allowedValues'] as unknown[]).map((value) => JSON.stringify(value)).join(', ');
      const message = `Unsupported value: ${JSON.stringify(data)}: supported values: ${values}`;
      return { reason: 'FieldValueNotSupported', message, field: path };
    }
    case 'minimum':
      return invalid(`${inBody} should be greater than or equal to ${params['limit']}`);
    case 'maximum':
      return invalid(`${inBody} should be less than or equal to ${params['limit']}`);
    case 'exclusiveMinimum':
      return invalid(`${inBody} should be greater than ${params['limit']}`);
    case 'exclusiveMaximum':
      return invalid(`${inBody} should be less than ${params['limit']}`);
    case 'multipleOf':
      return invalid(`${inBody} should be a multiple of ${params['multipleOf']}`);
    case 'pattern':
      return invalid(`${inBody} should match '${params['pattern']}'`);
    case 'minLength':
      return invalid(`${inBody} should be at least ${params['limit']} chars long`);
    case 'maxLength':
      return tooMuch('FieldValueTooLong', `Too long: may not be more than ${params['limit']} bytes`, path);
    case 'minItems':
      return invalid(`${inBody} should have at least ${params['limit']} items`);
    case 'maxItems': {
      const count = Array.isArray(data) ? data.length : 0;
      const text = `Too many: ${count}: must have at most ${params['limit']} items`;
      return tooMuch('FieldValueTooMany', text, path);
    }
    case 'uniqueItems':
      return invalid(`${inBody} shouldn't contain duplicates`);
    case 'oneOf':
      return invalid(`"${path}" must validate one and only one schema (oneOf)`);
    case 'anyOf':
      return invalid(`"${path}" must validate at least one schema (anyOf)`);
    case 'not':
      return invalid(`"${path}" must not validate the schema (not)`);
    default:
      return invalid(`${inBody} ${error.message ?? keyword}`);
  }
}

const tooMuch = (reason: string, message: string, field: string): StatusCause => ({ reason, message, field });

/** `/spec/pods/0/name` → `spec.pods[0].name` */
function fieldPath(pointer: string): string {
  const fields = pointer
    .split('/')
    .slice(1)
    .map((field) => field.replaceAll('~1', '/').replaceAll('~0', '~'));
  return fields.reduce((path, field) => {
    if (/^\d+$/.test(field)) return `${path}[${field}]`;
    return path === '' ? field : `${path}.${field}`;
  }, '');
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
