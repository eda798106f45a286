import type { KubeObject } from '../../kube/object.ts';
import { badRequest, conflict, invalid, notFound } from '../status.ts';
import { findConflicts, mergeApplied, removeFields } from './apply.ts';
import type { ApiContext } from './context.ts';
import { decodeObject, placeObject } from './decode.ts';
import { difference, ownableFields, union } from './fieldset.ts';
import { type JsonObject, objectOf, without } from './json.ts';
import { entriesOf, isWriter, recordOwned, trackUpdate, type Writer, withEntries } from './managers.ts';
import { missing } from './metadata.ts';
import { applyPatch } from './patch.ts';
import { objectBody, type ResourceRequest, requiredName } from './request.ts';
import {
  createObject,
  existing,
  storageType,
  versioned,
  type Written,
  writeOver,
  writerOf,
} from './write.ts';

/** PATCH with any of the four media types. */
export function patchObject(context: ApiContext, request: ResourceRequest): Written {
  if (request.mediaType === 'application/apply-patch+yaml') return applyObject(context, request);
  const old = existing(context, request);
  const { resource, mediaType, body } = request;
  const patched = applyPatch({ ...old }, mediaType, body, resource.schema);
  const decoded = decodeObject(patched, request);
  const placed = placeObject(decoded.object, request);
  const writer = writerOf(context, request);
  return writeOver(context, request, old, { ...decoded, object: placed }, (next) =>
    trackUpdate(old, next, resource, writer),
  );
}

/**
 * Server-side apply: the fields in the body become the manager's, those it named before and no longer names go
 * unless somebody else owns them, and a field that another manager holds at another value is a conflict unless
 * `force=true`. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
function applyObject(context: ApiContext, request: ResourceRequest): Written {
  const { resource, query } = request;
  if (!query.get('fieldManager')) {
    const cause = missing('fieldManager', 'is required for apply patch');
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [cause]);
  }
  const writer: Writer = { ...writerOf(context, request), operation: 'Apply' };
  const found = context.store.get(storageType(resource), request.namespace, requiredName(request));
  const { applied, warnings } = decodeApplied(request);
  const fields = ownableFields(applied, resource.schema);
  if (!found) {
    if (request.subresource !== undefined) throw notFound(resource.type, requiredName(request));
    const { uid } = objectOf(applied['metadata']);
    if (uid !== undefined) {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(resource.type, requiredName(request), why);
    }
    const track = (next: KubeObject) => withEntries(next, recordOwned([], fields, resource, writer, true));
    return createObject(context, request, applied, track);
  }

  const old = versioned(found, resource);
  const entries = entriesOf(old);
  const others = entries.filter((entry) => !isWriter(entry, writer));
  const before: JsonObject = { ...old, metadata: without(old.metadata, 'managedFields') };
  const conflicts = findConflicts(before, applied, others, resource.schema);
  const forced = query.get('force') === 'true';
  if (conflicts && !forced) throw conflicts;

  const mine = entries.find((entry) => isWriter(entry, writer))?.fieldsV1 ?? {};
  const elsewhere = others.reduce((all, entry) => union(all, entry.fieldsV1), {});
  const gone = difference(difference(mine, fields), elsewhere);
  const merged = objectOf(mergeApplied(before, applied, resource.schema));
  const left =
    Object.keys(gone).length === 0 ? merged : objectOf(removeFields(merged, gone, resource.schema));
  const { object } = decodeObject(left, request);
  return writeOver(context, request, old, { object, warnings }, (next) => {
    // Whoever held another value of what was taken over by force owns it no longer.
    const tracked = trackUpdate(old, next, resource, writer);
    return withEntries(next, recordOwned(entriesOf(tracked), fields, resource, writer, true));
  });
}

/** The body of an apply, without defaults: only what the manager itself names counts. */
function decodeApplied(request: ResourceRequest): { applied: JsonObject; warnings: string[] } {
  const { resource } = request;
  const { object, warnings } = decodeObject(objectBody(request), request, false);
  const placed: JsonObject = { ...placeObject(object, request) };
  if (object.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  if (!resource.statusSubresource) return { applied: placed, warnings };
  if (request.subresource !== 'status') return { applied: without(placed, 'status'), warnings };
  const { apiVersion, kind, metadata, status } = placed;
  return { applied: { apiVersion, kind, metadata, ...(status === undefined ? {} : { status }) }, warnings };
}
