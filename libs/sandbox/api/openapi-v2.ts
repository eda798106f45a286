import { groupsOf, version } from './discovery.ts';
import { isObject, type JsonObject, listOf, objectOf } from './json.ts';
import { openApiDocument } from './openapi.ts';
import { encodeOpenApiV2 } from './openapi-v2-protobuf.ts';
import type { Registry } from './registry.ts';

/** `/openapi/v2` as clients ask for it; made anew only when the set of resources has changed. */
export interface OpenApiV2 {
  json(): object;
  protobuf(): Uint8Array;
}

export function createOpenApiV2(registry: Registry): OpenApiV2 {
  const json = ofGeneration(registry, () => openApiV2Document(registry));
  const protobuf = ofGeneration(registry, () => encodeOpenApiV2(json()));
  return { json, protobuf };
}

function ofGeneration<Value>(registry: Registry, make: () => Value): () => Value {
  let made: { value: Value; generation: number } | undefined;
  return () => {
    const generation = registry.generation();
    if (made?.generation !== generation) made = { value: make(), generation };
    return made.value;
  };
}

/**
 * The OpenAPI v2 document of all groups, made from the v3 documents. kubectl reads it for what v3 says nothing about,
 * above all `kind: List`: it then checks the items itself, by these definitions.
 */
function openApiV2Document(registry: Registry): JsonObject {
  const definitions: JsonObject = {};
  const paths: JsonObject = {};
  for (const { name, versions } of groupsOf(registry)) {
    for (const each of versions) {
      const document = openApiDocument(registry, name, each);
      for (const [schema, value] of Object.entries(document.components.schemas)) {
        definitions[schema] = schemaV2(objectOf(value));
      }
      for (const [path, value] of Object.entries(document.paths)) paths[path] = pathV2(objectOf(value));
    }
  }
  return {
    swagger: '2.0',
    info: { title: 'Quorate sandbox', version: version.gitVersion },
    paths,
    definitions,
  };
}

/** Keywords that version 2 lacks, and defaults, which the real API server leaves out of it as well. */
const onlyInV3 = new Set(['oneOf', 'anyOf', 'not', 'nullable', 'default']);

/** Version 2 knows neither null nor a choice of types: a field that may be either says nothing of what it holds. */
function schemaV2(schema: JsonObject): JsonObject {
  const isOpen = schema['nullable'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const result: JsonObject = {};
  for (const [keyword, value] of Object.entries(schema)) {
    const isContent = ['type', 'properties', 'required', 'items', 'additionalProperties'].includes(keyword);
    if (onlyInV3.has(keyword) || (isOpen && isContent)) continue;
    if (keyword === '$ref') result[keyword] = String(value).replace('/components/schemas/', '/definitions/');
    else if (keyword === 'properties') {
      const entries = Object.entries(objectOf(value));
      result[keyword] = Object.fromEntries(
        entries.map(([field, inner]) => [field, schemaV2(objectOf(inner))]),
      );
    } else if ((keyword === 'items' || keyword === 'additionalProperties') && isObject(value)) {
      result[keyword] = schemaV2(value);
    } else result[keyword] = value;
  }
  return result;
}

function pathV2(path: JsonObject): JsonObject {
  const operations = Object.entries(path).map(([method, value]) => {
    const { parameters, requestBody, responses: _, ...operation } = objectOf(value);
    const query = listOf(parameters).map((parameter) => {
      const { name, in: place, schema } = objectOf(parameter);
      return { name, in: place, type: objectOf(schema)['type'] };
    });
    const body = requestBody ? [{ name: 'body', in: 'body', schema: { type: 'object' } }] : [];
    const responses = { 200: { description: 'OK' } };
    return [method, { ...operation, parameters: [...query, ...body], responses }];
  });
  return Object.fromEntries(operations) as JsonObject;
}
