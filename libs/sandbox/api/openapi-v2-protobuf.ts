import protobuf from 'protobufjs';
import { isObject, type JsonObject, listOf, objectOf } from './json.ts';

/** The media type of the answer: with a dot where clients ask with an `@`, which no media type may contain. */
export const openApiV2ProtobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Whether this `Accept` header asks for the protobuf form, by either name. */
export function acceptsOpenApiV2Protobuf(accept: string): boolean {
  return accept.replaceAll('@', '.').includes(openApiV2ProtobufType);
}

/**
 * Message and field numbers of `openapi.v2.Document` as the gnostic project publishes them; only the fields by which
 * a client checks objects and learns of query parameters.
 */
const types = protobuf.Root.fromJSON({
  nested: {
    Document: {
      fields: {
        swagger: one(1, 'string'),
        info: one(2, 'Info'),
        paths: one(8, 'Paths'),
        definitions: one(9, 'NamedSchemas'),
      },
    },
    Info: { fields: { title: one(1, 'string'), version: one(2, 'string') } },
    Paths: { fields: { path: many(2, 'NamedPathItem') } },
    NamedPathItem: { fields: { name: one(1, 'string'), value: one(2, 'PathItem') } },
    PathItem: {
      fields: {
        get: one(2, 'Operation'),
        put: one(3, 'Operation'),
        post: one(4, 'Operation'),
        delete: one(5, 'Operation'),
        patch: one(8, 'Operation'),
      },
    },
    Operation: { fields: { parameters: many(8, 'ParametersItem'), vendorExtension: many(13, 'NamedAny') } },
    ParametersItem: { fields: { parameter: one(1, 'Parameter') } },
    Parameter: { fields: { nonBodyParameter: one(2, 'NonBodyParameter') } },
    NonBodyParameter: { fields: { queryParameterSubSchema: one(3, 'QueryParameter') } },
    QueryParameter: { fields: { in: one(2, 'string'), name: one(4, 'string'), type: one(6, 'string') } },
    // Definitions and Properties are two messages of this one form.
    NamedSchemas: { fields: { additionalProperties: many(1, 'NamedSchema') } },
    NamedSchema: { fields: { name: one(1, 'string'), value: one(2, 'Schema') } },
    Schema: {
      fields: {
        ref: one(1, 'string'),
        format: one(2, 'string'),
        description: one(4, 'string'),
        required: many(19, 'string'),
        enum: many(20, 'Any'),
        additionalProperties: one(21, 'AdditionalPropertiesItem'),
        type: one(22, 'TypeItem'),
        items: one(23, 'ItemsItem'),
        properties: one(25, 'NamedSchemas'),
        vendorExtension: many(31, 'NamedAny'),
      },
    },
    AdditionalPropertiesItem: { fields: { schema: one(1, 'Schema'), boolean: one(2, 'bool') } },
    TypeItem: { fields: { value: many(1, 'string') } },
    ItemsItem: { fields: { schema: many(1, 'Schema') } },
    NamedAny: { fields: { name: one(1, 'string'), value: one(2, 'Any') } },
    Any: { fields: { yaml: one(2, 'string') } },
  },
});

function one(id: number, type: string): { id: number; type: string } {
  return { id, type };
}
function many(id: number, type: string): protobuf.IField {
  return { id, type, rule: 'repeated' };
}

/** The protobuf form of an OpenAPI v2 document. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const { swagger, info, paths, definitions } = document;
  const path = Object.entries(objectOf(paths)).map(([name, value]) => ({ name, value: pathItem(value) }));
  return types
    .lookupType('Document')
    .encode({ swagger, info, paths: { path }, definitions: namedSchemas(definitions) })
    .finish();
}

function pathItem(path: unknown): object {
  const operations = Object.entries(objectOf(path));
  return Object.fromEntries(operations.map(([method, value]) => [method, operationMessage(objectOf(value))]));
}

function operationMessage(operation: JsonObject): object {
  const parameters = listOf(operation['parameters'])
    .map(objectOf)
    .filter((parameter) => parameter['in'] === 'query')
    .map((queryParameterSubSchema) => ({ parameter: { nonBodyParameter: { queryParameterSubSchema } } }));
  return { parameters, vendorExtension: extensions(operation) };
}

function schemaMessage(given: unknown): object {
  const schema = objectOf(given);
  const { $ref, format, description, type, items, properties, additionalProperties: additional } = schema;
  return {
    ...($ref === undefined ? {} : { ref: $ref }),
    ...(format === undefined ? {} : { format }),
    ...(description === undefined ? {} : { description }),
    ...(type === undefined ? {} : { type: { value: [type] } }),
    ...(items === undefined ? {} : { items: { schema: [schemaMessage(items)] } }),
    ...(properties === undefined ? {} : { properties: namedSchemas(properties) }),
    ...(additional === undefined ? {} : { additionalProperties: additionalMessage(additional) }),
    required: listOf(schema['required']),
    enum: listOf(schema['enum']).map(anyMessage),
    vendorExtension: extensions(schema),
  };
}

function additionalMessage(additional: unknown): object {
  return isObject(additional) ? { schema: schemaMessage(additional) } : { boolean: additional };
}

function namedSchemas(schemas: unknown): object {
  const entries = Object.entries(objectOf(schemas));
  return { additionalProperties: entries.map(([name, value]) => ({ name, value: schemaMessage(value) })) };
}

function extensions(object: JsonObject): object[] {
  const entries = Object.entries(object).filter(([name]) => name.startsWith('x-'));
  return entries.map(([name, value]) => ({ name, value: anyMessage(value) }));
}

/** Any value travels as YAML, which JSON is. */
const anyMessage = (value: unknown): object => ({ yaml: JSON.stringify(value) });
