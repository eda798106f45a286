import { z } from 'zod';

/** A node of a structural schema (apiextensions.k8s.io/v1 JSONSchemaProps), with the parts handled here. */
export interface Schema {
  type?: string;
  description?: string;
  format?: string;
  pattern?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  [extension: string]: unknown;
}

const intOrString = 'x-kubernetes-int-or-string';
const preserveUnknown = 'x-kubernetes-preserve-unknown-fields';

/**
 * The schema that Kubernetes accepts in a CustomResourceDefinition ("structural": every node has one type, unions
 * only constrain what is declared outside them) for what `type` accepts as input. Throws where a type cannot be
 * said that way. Rules: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structuralSchemaOf(type: z.ZodType): Schema {
  const schema = z.toJSONSchema(type, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    override: ({ zodSchema, path }) => {
      if (zodSchema._zod.def.type === 'tuple') throw unsupported(path.join('.'), 'a tuple');
    },
  });
  return structural(schema as Schema, '');
}

function structural(given: Schema, path: string): Schema {
  const schema = withoutUnion({ ...given }, path);
  delete schema['$schema'];
  // Pruning drops or keeps unknown fields; the names of a map's keys cannot be constrained.
  delete schema['propertyNames'];
  if (schema.properties !== undefined) {
    // `{}` stands for anything, `false` for nothing more: beside properties, both are said by pruning or not.
    const isLoose = typeof schema.additionalProperties === 'object';
    delete schema.additionalProperties;
    if (isLoose) schema[preserveUnknown] = true;
    schema.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, structural(field, `${path}.${name}`)]),
    );
  }
  if (typeof schema.additionalProperties === 'object') {
    schema.additionalProperties = structural(schema.additionalProperties, `${path}.*`);
  }
  if (schema.items !== undefined) schema.items = structural(schema.items, `${path}[]`);
  if (schema.type === 'integer') withIntegerFormat(schema);
  // Go's regular expressions have no lookaround, and where there is a format the API server checks that.
  if (schema.format !== undefined || /\(\?<?[=!]/.test(schema.pattern ?? '')) delete schema.pattern;
  if (schema.type === undefined && schema[intOrString] !== true) schema[preserveUnknown] = true;
  return schema;
}

/** JavaScript's bounds of an integer mean nothing to a reader; Go's sizes do. */
function withIntegerFormat(schema: Schema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  const isSmall = schema.maximum !== undefined && schema.maximum < 2 ** 31;
  schema.format = isSmall && (schema.minimum ?? 0) >= -(2 ** 31) ? 'int32' : 'int64';
}

/** Replaces a union by one type and what is left of the alternatives as constraints. */
function withoutUnion(schema: Schema, path: string): Schema {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (schema.allOf !== undefined) throw unsupported(path, 'several patterns or an intersection');
  if (alternatives === undefined) return schema;
  const { oneOf: _oneOf, anyOf: _anyOf, ...rest } = schema;
  const types = new Set(alternatives.map((alternative) => alternative.type));
  if (types.size === 2 && types.has('string') && (types.has('integer') || types.has('number'))) {
    return { ...rest, [intOrString]: true };
  }
  if (types.size === 1 && types.has('object')) return hoisted(rest, alternatives, path);
  if (types.size === 1 && alternatives.every((alternative) => alternative.enum !== undefined)) {
    const [type] = types;
    const values = alternatives.flatMap((alternative) => alternative.enum ?? []);
    return { ...rest, ...(type === undefined ? {} : { type }), enum: [...new Set(values)] };
  }
  throw unsupported(path, `a union of ${[...types].join(' and ')}`);
}

/** A union of objects: all their fields declared once, the alternatives keep what tells them apart. */
function hoisted(rest: Schema, alternatives: Schema[], path: string): Schema {
  const properties: Record<string, Schema> = {};
  for (const alternative of alternatives) {
    for (const [name, field] of Object.entries(alternative.properties ?? {})) {
      const known = properties[name];
      if (known === undefined) properties[name] = field;
      else if (known.enum !== undefined && field.enum !== undefined) {
        properties[name] = { ...known, enum: [...new Set([...known.enum, ...field.enum])] };
      } else if (JSON.stringify(known) !== JSON.stringify(field)) {
        throw unsupported(`${path}.${name}`, 'a field with another type in each alternative');
      }
    }
  }
  const oneOf = alternatives.map((alternative) => ({
    properties: Object.fromEntries(
      Object.entries(alternative.properties ?? {}).flatMap(([name, field]) =>
        field.enum === undefined ? [] : [[name, { enum: field.enum }]],
      ),
    ),
    ...(alternative.required === undefined ? {} : { required: alternative.required }),
  }));
  const required = (alternatives[0]?.required ?? []).filter((name) =>
    alternatives.every((alternative) => alternative.required?.includes(name)),
  );
  return { ...rest, type: 'object', properties, ...(required.length > 0 ? { required } : {}), oneOf };
}

function unsupported(path: string, what: string): Error {
  return new Error(`A CustomResourceDefinition cannot say ${what}; see the schema at "${path}".`);
}
