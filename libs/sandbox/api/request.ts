import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { parse } from 'yaml';
import { ApiStatus, badRequest, notFound } from '../status.ts';
import { isObject, type JsonObject } from './json.ts';
import { doubledFields } from './json-text.ts';
import { unsupportedMediaType } from './patch.ts';
import { decodeProtobuf, protobufType } from './protobuf.ts';
import type { Registry } from './registry.ts';
import type { Resource } from './resource.ts';

/** One request on a resource, as every verb needs it. */
export interface ResourceRequest {
  method: string;
  resource: Resource;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
  query: URLSearchParams;
  /** What the client wants to get, e.g. a Table. */
  accept: string;
  /** The media type of the body, without parameters. */
  mediaType: string;
  body: unknown;
  /** The fields that stand twice in the body; the last of each counts. */
  doubled: string[];
  /** The field manager: as named by the client, or the first part of its user agent. */
  manager: string;
}

/** What of a resource a path names: `/api/v1/…` or `/apis/<group>/<version>/…`. Undefined where it names none. */
export function parsePath(
  path: string,
  registry: Registry,
): Pick<ResourceRequest, 'resource' | 'namespace' | 'name' | 'subresource'> | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const [group, version, ...rest] = isCore ? ['', ...parts.slice(1)] : parts.slice(1);
  if (group === undefined || version === undefined) return undefined;
  const scoped = rest[0] === 'namespaces' && rest.length > 2 && registry.find(group, version, rest[2] ?? '');
  const [plural = '', name, ...subresource] = scoped ? rest.slice(2) : rest;
  const resource = registry.find(group, version, plural);
  if (!resource) return undefined;
  const namespace = scoped ? rest[1] : undefined;
  if (scoped ? !resource.type.namespaced : resource.type.namespaced && name !== undefined) return undefined;
  return {
    resource,
    namespace,
    name,
    subresource: subresource.length > 0 ? subresource.join('/') : undefined,
  };
}

const maxBodyBytes = 3 * 1024 * 1024;

export type Body = Pick<ResourceRequest, 'body' | 'doubled' | 'mediaType'>;

/** Reads a body of JSON or YAML; throws BadRequest, UnsupportedMediaType or RequestEntityTooLarge. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const mediaType = (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) {
    const message = `Request entity too large: limit is ${maxBodyBytes}`;
    throw new ApiStatus(413, 'RequestEntityTooLarge', message);
  }
  const content = await buffer(request);
  if (content.length === 0) return { body: undefined, doubled: [], mediaType };
  if (mediaType === protobufType) return { body: decodeProtobuf(content), doubled: [], mediaType };
  if (!/json|yaml/.test(mediaType)) throw unsupportedMediaType(mediaType);
  return { ...parseBody(content.toString(), mediaType), mediaType };
}

/** The media type of an apply says YAML, though most clients send JSON, which is much quicker to read. */
function parseBody(content: string, mediaType: string): Omit<Body, 'mediaType'> {
  try {
    const json = mediaType.endsWith('json') || content.startsWith('{') ? content : jsonOf(content);
    const body: unknown = JSON.parse(json, /\d[eE]\+?\d{3}/.test(json) ? checkFinite : undefined);
    return { body, doubled: doubledFields(json) };
  } catch (error) {
    if (error instanceof ApiStatus) throw error;
    throw badRequest(
      `the object provided is unrecognized: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** A number beyond the range of a double is no number to Kubernetes either. */
function checkFinite(field: string, value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    throw badRequest(`${field}: a number is beyond the range of float64`);
  return value;
}

/** YAML as the JSON of the same meaning. */
const jsonOf = (yaml: string): string => JSON.stringify(parse(yaml) ?? null);

export function objectBody(request: ResourceRequest): JsonObject {
  if (!isObject(request.body)) throw badRequest('the request has no object in its body');
  return request.body;
}

export function requiredName(request: ResourceRequest): string {
  if (request.name === undefined) throw notFound(request.resource.type, '');
  return request.name;
}

/** `kubectl/v1.35.2 (linux/amd64) kubernetes/…` → `kubectl` */
export function managerOf(query: URLSearchParams, userAgent: string | undefined): string {
  return query.get('fieldManager') || userAgent?.split('/')[0] || 'unknown';
}
