import type { KubeObject } from '../../kube/object.ts';
import { apiVersionOf } from '../../kube/object.ts';
import { badRequest } from '../status.ts';
import type { JsonObject } from './json.ts';
import type { ResourceRequest } from './request.ts';
import type { Resource } from './resource.ts';
import { applyDefaults, decode, prune, pruneNulls } from './schema.ts';

/** What is told to a client that sent unknown fields: nothing, a warning, or a refusal. */
export interface Decoded {
  object: KubeObject;
  warnings: string[];
}

/**
 * Reads what a client sent as an object of the resource: checks version and kind, drops unknown fields (or, with
 * `fieldValidation=Strict`, refuses them by name) and fills in a CRD's defaults.
 */
export function decodeObject(given: JsonObject, request: ResourceRequest, withDefaults = true): Decoded {
  const { resource, query } = request;
  const { type } = resource;
  const apiVersion = apiVersionOf(type);
  const what = `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}`;
  const sent = { apiVersion: given['apiVersion'] ?? apiVersion, kind: given['kind'] ?? type.kind };
  if (sent.apiVersion !== apiVersion) {
    const versions = `the API version in the data (${sent.apiVersion}) does not match the expected API version`;
    throw badRequest(`${versions} (${apiVersion})`);
  }
  if (sent.kind !== type.kind) {
    throw badRequest(
      `${what}: the kind in the data (${sent.kind}) does not match the expected kind (${type.kind})`,
    );
  }
  const named: JsonObject = { ...given, ...sent, metadata: given['metadata'] ?? {} };
  const typed = resource.builtin
    ? decode(named, resource.schema, what)
    : decodeMetadata(named, resource, what);
  const unknown: string[] = [];
  const known = prune(typed, resource.schema, unknown);
  const problems = [
    ...request.doubled.map((field) => `duplicate field "${field}"`),
    ...unknown.map((field) => `unknown field "${field}"`),
  ];
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (validation === 'Strict' && problems.length > 0) {
    throw badRequest(`${what}: strict decoding error: ${problems.join(', ')}`);
  }
  const meant = resource.builtin ? known : pruneNulls(known, resource.schema);
  const defaulted = withDefaults && !resource.builtin ? applyDefaults(meant, resource.schema) : meant;
  const object = defaulted as KubeObject;
  return { object, warnings: validation === 'Warn' ? problems : [] };
}

/** A custom object's own fields are judged by its schema; its metadata is of a built-in type. */
function decodeMetadata(object: JsonObject, resource: Resource, what: string): JsonObject {
  const metadata = decode(object['metadata'], resource.schema.properties?.['metadata'], what, 'metadata');
  return { ...object, metadata };
}

/** Checks that the name and namespace in the object are those in the path, and fills them in where absent. */
export function placeObject(object: KubeObject, request: ResourceRequest): KubeObject {
  const { resource, namespace, name } = request;
  const metadata = { ...object.metadata };
  if (name !== undefined && metadata.name !== undefined && metadata.name !== name) {
    const names = `the name of the object (${metadata.name}) does not match the name on the URL (${name})`;
    throw badRequest(names);
  }
  if (name !== undefined) metadata.name = name;
  if (!resource.type.namespaced) delete metadata.namespace;
  else if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  } else if (namespace !== undefined) metadata.namespace = namespace;
  return { ...object, metadata };
}
