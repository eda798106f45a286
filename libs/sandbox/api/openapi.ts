import { createHash } from 'node:crypto';
import { apiVersionOf } from '../../kube/object.ts';
import { groupsOf, version } from './discovery.ts';
import { isObject, type JsonObject, objectOf } from './json.ts';
import { modelName, modelSchema } from './models.ts';
import type { Registry } from './registry.ts';
import type { Resource } from './resource.ts';
import type { Schema } from './schema.ts';

/** `/openapi/v3`: where the document of each group and version is, with a hash that changes with it. */
export function openApiIndex(registry: Registry): object {
  const paths: JsonObject = {};
  for (const { name, versions } of groupsOf(registry)) {
    for (const each of versions) {
      const path = name === '' ? `api/${each}` : `apis/${name}/${each}`;
      const hash = createHash('sha256').update(JSON.stringify(openApiDocument(registry, name, each)));
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash.digest('hex').slice(0, 32)}` };
    }
  }
  return { paths };
}

export interface OpenApiDocument {
  openapi: string;
  info: object;
  paths: JsonObject;
  components: { schemas: JsonObject };
}

/**
 * The OpenAPI v3 document of one group and version: the schemas by which `kubectl explain` teaches, and the paths
 * by which kubectl learns that the server validates fields.
 */
export function openApiDocument(registry: Registry, group: string, wanted: string): OpenApiDocument {
  const resources = registry.all().filter(({ type }) => type.group === group && type.version === wanted);
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const resource of resources) {
    const name = schemaName(resource);
    schemas[name] = { ...objectOf(inlined(resource.schema, schemas)), ...gvkOf(resource) };
    Object.assign(paths, pathsOf(resource, name));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Quorate sandbox', version: version.gitVersion },
    paths,
    components: { schemas },
  };
}

/** `com.coreos.database.etcd.v1beta2.EtcdCluster`, as Kubernetes names the schemas of custom resources. */
function schemaName({ type }: Resource): string {
  const group = type.group === '' ? ['io', 'k8s', 'api', 'core'] : type.group.split('.').reverse();
  return [...group, type.version, type.kind].join('.');
}

function gvkOf({ type }: Resource): JsonObject {
  const { group, version: own, kind } = type;
  return { 'x-kubernetes-group-version-kind': [{ group, version: own, kind }] };
}

/** A schema with references to the built-in types, which are added to `schemas`. */
function inlined(schema: Schema, schemas: JsonObject): unknown {
  const result: JsonObject = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties') {
      const entries = Object.entries(value as Record<string, Schema>);
      result[keyword] = Object.fromEntries(
        entries.map(([field, inner]) => [field, referred(inner, schemas)]),
      );
    } else if ((keyword === 'items' || keyword === 'additionalProperties') && isObject(value)) {
      result[keyword] = referred(value as Schema, schemas);
    } else if (keyword !== 'format' || value !== 'quantity') result[keyword] = value;
  }
  return result;
}

function referred(schema: Schema, schemas: JsonObject): unknown {
  const model = modelName(schema);
  if (model === undefined) return inlined(schema, schemas);
  const name = `io.k8s.${model}`;
  if (schemas[name] === undefined) {
    // Named before it is filled in, for types that contain each other.
    schemas[name] = {};
    schemas[name] = inlined(modelSchema(model), schemas);
  }
  return { $ref: `#/components/schemas/${name}` };
}

const patchTypes = ['json-patch+json', 'merge-patch+json', 'apply-patch+yaml'];
/** Custom resources know no strategic merge patch. By its being here kubectl knows how to merge the built-in kinds. */
const strategicPatch = 'strategic-merge-patch+json';

function pathsOf(resource: Resource, schema: string): JsonObject {
  const { type } = resource;
  const root = type.group === '' ? '/api/v1' : `/apis/${apiVersionOf(type)}`;
  const collection = type.namespaced
    ? `${root}/namespaces/{namespace}/${type.plural}`
    : `${root}/${type.plural}`;
  const { group, version: own, kind } = type;
  const gvk = { 'x-kubernetes-group-version-kind': { group, version: own, kind } };
  const content = { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } };
  const responses = { 200: { description: 'OK', content } };
  const writing = ['dryRun', 'fieldManager', 'fieldValidation'].map(queryParameter);
  const operation = (action: string, more: object): object => ({
    'x-kubernetes-action': action,
    ...gvk,
    responses,
    ...more,
  });
  const body = { requestBody: { content } };
  const patch = Object.fromEntries(
    [...patchTypes, ...(resource.builtin ? [strategicPatch] : [])].map((each) => [
      `application/${each}`,
      { schema: { type: 'object' } },
    ]),
  );
  return {
    [collection]: {
      get: operation('list', {}),
      post: operation('post', { parameters: writing, ...body }),
    },
    [`${collection}/{name}`]: {
      get: operation('get', {}),
      put: operation('put', { parameters: writing, ...body }),
      patch: operation('patch', {
        parameters: [...writing, queryParameter('force')],
        requestBody: { content: patch },
      }),
      delete: operation('delete', {}),
    },
  };
}

function queryParameter(name: string): object {
  return { name, in: 'query', schema: { type: name === 'force' ? 'boolean' : 'string' } };
}
