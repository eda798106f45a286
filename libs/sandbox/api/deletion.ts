import type { KubeObject } from '../../kube/object.ts';
import { ApiStatus } from '../status.ts';
import type { ApiContext } from './context.ts';
import { objectOf, textOf } from './json.ts';
import { permanentNamespaces } from './kinds/namespace.ts';
import { listObjects } from './listing.ts';
import type { ResourceRequest } from './request.ts';
import { existing, isDryRun, storageType, versioned } from './write.ts';

/** Finalizers by which the garbage collector is asked to see to an owner's dependents first. */
export const foreground = 'foregroundDeletion';
export const orphan = 'orphan';

/** What a delete answers: the object where it still exists, else that it is gone. */
export function deleteObject(context: ApiContext, request: ResourceRequest): object {
  const object = existing(context, request);
  const dryRun = isDryRun(request);
  if (!dryRun) remove(context, request, object);
  const left = context.store.get(storageType(request.resource), request.namespace, object.metadata.name);
  if (left && left.metadata.uid === object.metadata.uid && !dryRun) return versioned(left, request.resource);
  const { name, uid } = object.metadata;
  const { group, plural } = request.resource.type;
  const details = { name, ...(group === '' ? {} : { group }), kind: plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

/** Deletes all that the selectors choose; answers the list of what was there. */
export function deleteCollection(context: ApiContext, request: ResourceRequest): KubeObject[] {
  const { items } = listObjects(context, request);
  if (isDryRun(request)) return items;
  for (const object of items) {
    const { namespace } = object.metadata;
    remove(context, { ...request, namespace, name: object.metadata.name }, object);
  }
  return items;
}

function remove({ store }: ApiContext, request: ResourceRequest, object: KubeObject): void {
  const { namespace, name } = object.metadata;
  const type = storageType(request.resource);
  if (object.kind === 'Namespace' && permanentNamespaces.includes(name)) {
    const message = `namespaces "${name}" is forbidden: this namespace may not be deleted`;
    throw new ApiStatus(403, 'Forbidden', message, { name, kind: type.plural });
  }
  const options = objectOf(request.body);
  const wanted = objectOf(options['preconditions']);
  const grace = options['gracePeriodSeconds'] ?? request.query.get('gracePeriodSeconds') ?? undefined;
  const uid = textOf(wanted['uid']);
  const resourceVersion = textOf(wanted['resourceVersion']);
  const holder = holderOf(request, options);
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const met =
    (uid === undefined || uid === object.metadata.uid) &&
    (resourceVersion === undefined || resourceVersion === object.metadata.resourceVersion);
  if (holder !== undefined && met) {
    // The finalizer must be there before the deletion is, or the object would go at once.
    store.update(type, namespace, name, (current) => {
      const finalizers = [...new Set([...(current.metadata.finalizers ?? []), holder])];
      return { ...current, metadata: { ...current.metadata, finalizers } };
    });
    delete (preconditions as { resourceVersion?: string }).resourceVersion;
  }
  store.delete(type, namespace, name, {
    ...preconditions,
    ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
  });
}

function holderOf(request: ResourceRequest, options: object): string | undefined {
  const given = objectOf(options);
  const policy = given['propagationPolicy'] ?? request.query.get('propagationPolicy');
  if (policy === 'Foreground') return foreground;
  return policy === 'Orphan' || given['orphanDependents'] === true ? orphan : undefined;
}
