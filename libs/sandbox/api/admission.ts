import { type KubeObject, type ResourceType, resourceTypes } from '../../kube/object.ts';
import { ApiStatus, conflict, invalid, notFound, resourceName } from '../status.ts';
import type { ApiContext } from './context.ts';
import { checkMetadata, wrong } from './metadata.ts';
import type { ResourceRequest } from './request.ts';
import type { Resource } from './resource.ts';

/** Throws Invalid naming all that is wrong with the object: its metadata, its schema, the rules of its kind. */
export function checkObject(resource: Resource, object: KubeObject, old: KubeObject | undefined): void {
  const causes = [
    ...checkMetadata(object),
    ...(resource.validate?.(object) ?? []),
    ...(resource.rules.validate?.(object, old) ?? []),
  ];
  const name = object.metadata.name ?? '';
  if (causes.length > 0) throw invalid(resource.type, name, causes);
}

/** Throws where the namespace of a new object is missing or going away. */
export function checkNamespace({ store }: ApiContext, type: ResourceType, { metadata }: KubeObject): void {
  if (!type.namespaced || metadata.namespace === undefined) return;
  const namespace = store.get(resourceTypes.namespace, undefined, metadata.namespace);
  if (!namespace) throw notFound(resourceTypes.namespace, metadata.namespace);
  if (namespace.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${metadata.namespace} because it is being terminated`;
  throw new ApiStatus(403, 'Forbidden', `${resourceName(type)} "${metadata.name}" is forbidden: ${why}`, {
    name: metadata.name,
    kind: type.plural,
    causes: [{ reason: 'NamespaceTerminating', message: why, field: 'metadata.namespace' }],
  });
}

/** What the object in a write says about which object it means: that very one (uid), and that version of it. */
export function checkVersion(request: ResourceRequest, old: KubeObject, wanted: KubeObject): void {
  const { type } = request.resource;
  const { name, uid, resourceVersion } = old.metadata;
  const given = wanted.metadata;
  const another = given.uid !== undefined && given.uid !== uid;
  if (another && request.method === 'PUT') {
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${uid}`,
    );
  }
  if (given.resourceVersion && given.resourceVersion !== resourceVersion) {
    const why = 'the object has been modified; please apply your changes to the latest version and try again';
    throw conflict(type, name, why);
  }
  const custom = !request.resource.builtin;
  if (custom && request.method === 'PUT' && !given.resourceVersion) {
    throw invalid(type, name, [wrong('metadata.resourceVersion', 0, 'must be specified for an update')]);
  }
  // A patch with the uid of another object is no conflict to Kubernetes, but an attempt to change the uid; and where
  // the status of a custom resource is patched, the metadata is not even looked at.
  if (another && !(custom && request.subresource === 'status'))
    throw invalid(type, name, [wrong('metadata.uid', given.uid, 'field is immutable')]);
}

/** An object that is being deleted gets no new finalizers. */
export function checkFinalizers(resource: Resource, old: KubeObject, next: KubeObject): void {
  if (old.metadata.deletionTimestamp === undefined) return;
  const before = old.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
  const cause = { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' };
  throw invalid(resource.type, next.metadata.name, [cause]);
}
