import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { apiVersionOf, type KubeObject, type ResourceType } from '../../kube/object.ts';
import { timestamp } from '../memory.ts';
import { badRequest, notFound } from '../status.ts';
import { checkFinalizers, checkNamespace, checkObject, checkVersion } from './admission.ts';
import type { ApiContext } from './context.ts';
import { type Decoded, decodeObject, placeObject } from './decode.ts';
import { type JsonObject, listOf, valueAt, without } from './json.ts';
import { trackUpdate, type Writer } from './managers.ts';
import { checkQuota } from './quota.ts';
import { objectBody, type ResourceRequest, requiredName } from './request.ts';
import type { Resource } from './resource.ts';

/** What a write answers: the object as stored, and what the client should be told. */
export interface Written {
  object: KubeObject;
  created: boolean;
  warnings: string[];
}

/** Sets the managed fields of what is about to be stored. */
type Track = (next: KubeObject) => KubeObject;

export function createObject(
  context: ApiContext,
  request: ResourceRequest,
  given = objectBody(request),
  track: Track = (next) => trackUpdate(undefined, next, request.resource, writerOf(context, request)),
): Written {
  const { resource } = request;
  const decoded = decodeObject(given, request);
  const placed = placeObject(withName(decoded.object), { ...request, name: undefined });
  if (placed.metadata.resourceVersion)
    throw badRequest('resourceVersion should not be set on objects to be created');
  checkNamespace(context, resource.type, placed);
  checkQuota(context, resource.type, placed);
  const clean = withoutServerFields(placed, resource);
  const prepared = resource.rules.prepare?.(clean, undefined) ?? clean;
  checkObject(resource, prepared, undefined);
  const finished = resource.rules.onCreate?.(prepared) ?? prepared;
  const tracked = track(finished);
  const object = isDryRun(request)
    ? { ...tracked, metadata: { ...tracked.metadata, creationTimestamp: timestamp(context.now()) } }
    : context.store.create(storageType(resource), stored(resource, tracked));
  return { object, created: true, warnings: decoded.warnings };
}

/** PUT: the object as given, at the resourceVersion it names, if it names one. */
export function replaceObject(
  context: ApiContext,
  request: ResourceRequest,
  given = objectBody(request),
): Written {
  const decoded = decodeObject(given, request);
  const placed = placeObject(decoded.object, request);
  const old = existing(context, request);
  const writer = writerOf(context, request);
  return writeOver(context, request, old, { ...decoded, object: placed }, (next) =>
    trackUpdate(old, next, request.resource, writer),
  );
}

/**
 * Stores `next` over `old`: the common end of update, patch and apply. A write of the status subresource changes
 * nothing but the status, any other leaves the status alone. `track` sets the managed fields.
 */
export function writeOver(
  context: ApiContext,
  request: ResourceRequest,
  old: KubeObject,
  { object: wanted, warnings }: Decoded,
  track: Track,
): Written {
  const { resource } = request;
  checkVersion(request, old, wanted);
  const scoped = request.subresource === 'status' ? statusOnly(old, wanted) : specOnly(old, wanted, resource);
  const kept = {
    ...scoped,
    metadata: { ...without(scoped.metadata, ...serverFields), ...serverMetadata(old) },
  };
  const prepared = request.subresource === 'status' ? kept : (resource.rules.prepare?.(kept, old) ?? kept);
  checkObject(resource, prepared, old);
  checkFinalizers(resource, old, prepared);
  const tracked = track(prepared);
  if (isDryRun(request)) return { object: tracked, created: false, warnings };
  const { namespace, name } = old.metadata;
  const object = context.store.update(storageType(resource), namespace, name, (current) =>
    isDeepStrictEqual(tracked, versioned(current, resource)) ? current : stored(resource, tracked),
  );
  return { object: object ?? tracked, created: false, warnings };
}

export function existing(context: ApiContext, request: ResourceRequest): KubeObject {
  const { resource, namespace } = request;
  const name = requiredName(request);
  const found = context.store.get(storageType(resource), namespace, name);
  if (!found) throw notFound(resource.type, name);
  return versioned(found, resource);
}

export function writerOf(context: ApiContext, request: ResourceRequest): Writer {
  return {
    manager: request.manager,
    operation: 'Update',
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
    time: timestamp(context.now()),
  };
}

export function isDryRun(request: ResourceRequest): boolean {
  return (
    request.query.getAll('dryRun').includes('All') || listOf(valueAt(request.body, 'dryRun')).includes('All')
  );
}

/** Where the objects of a resource are kept: in the storage version, whichever was asked for. */
export function storageType(resource: Resource): ResourceType {
  return { ...resource.type, version: resource.storageVersion };
}

/** The object in the version that was asked for. With conversion `None` only the apiVersion differs. */
export function versioned(object: KubeObject, resource: Resource): KubeObject {
  const apiVersion = apiVersionOf(resource.type);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

function stored(resource: Resource, object: KubeObject): KubeObject {
  return { ...object, apiVersion: apiVersionOf(storageType(resource)) };
}

function withName(object: KubeObject): KubeObject {
  const { name, generateName } = object.metadata;
  if (name || !generateName) return object;
  const suffix = randomBytes(8).toString('hex').slice(0, 5);
  return { ...object, metadata: { ...object.metadata, name: `${generateName}${suffix}` } };
}

/** What of an object's metadata no client writes. */
const serverFields = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
];

function withoutServerFields(object: KubeObject, resource: Resource): KubeObject {
  const cleared = resource.statusSubresource ? without(object, 'status') : object;
  return { ...cleared, metadata: without(object.metadata, ...serverFields) };
}

function serverMetadata(old: KubeObject): JsonObject {
  return Object.fromEntries(Object.entries(old.metadata).filter(([field]) => serverFields.includes(field)));
}

function statusOnly(old: KubeObject, wanted: KubeObject): KubeObject {
  const managed = wanted.metadata.managedFields;
  const metadata = { ...old.metadata, ...(managed ? { managedFields: managed } : {}) };
  const next: KubeObject = { ...old, metadata };
  if (wanted['status'] === undefined) delete next['status'];
  else next['status'] = wanted['status'];
  return next;
}

function specOnly(old: KubeObject, wanted: KubeObject, resource: Resource): KubeObject {
  const next: KubeObject = { ...wanted, metadata: { ...wanted.metadata } };
  // A client that does not know of managed fields must not lose them.
  if (next.metadata.managedFields === undefined && old.metadata.managedFields !== undefined) {
    next.metadata.managedFields = old.metadata.managedFields;
  }
  if (!resource.statusSubresource) return next;
  delete next['status'];
  return old['status'] === undefined ? next : { ...next, status: old['status'] };
}
