import type { KubeObject, OwnerReference, ResourceType } from '../../kube/object.ts';
import { foreground, orphan } from '../api/deletion.ts';
import type { Registry } from '../api/registry.ts';
import { storageType } from '../api/write.ts';
import type { Store } from '../store.ts';

interface Dependent {
  type: ResourceType;
  object: KubeObject;
}

/**
 * The garbage collector: an object goes when all its owners are gone. An owner that is deleted in the foreground waits
 * for the dependents that block it; one that is deleted with `Orphan` leaves them behind without a reference to it.
 */
export function startGarbage(store: Store, registry: Registry): () => void {
  /** Owner's uid → dependents, by their own uid. */
  const dependents = new Map<string, Map<string, Dependent>>();

  const index = (type: ResourceType, object: KubeObject, previous: KubeObject | undefined): void => {
    const uid = object.metadata.uid ?? '';
    for (const owner of previous?.metadata.ownerReferences ?? []) {
      const ofOwner = dependents.get(owner.uid);
      ofOwner?.delete(uid);
      if (ofOwner?.size === 0) dependents.delete(owner.uid);
    }
    for (const owner of object.metadata.ownerReferences ?? []) {
      const ofOwner = dependents.get(owner.uid) ?? new Map<string, Dependent>();
      dependents.set(owner.uid, ofOwner.set(uid, { type, object }));
    }
  };
  const dependentsOf = (object: KubeObject): Dependent[] => [
    ...(dependents.get(object.metadata.uid ?? '')?.values() ?? []),
  ];
  const finish = (type: ResourceType, object: KubeObject, finalizer: string): void => {
    store.update(type, object.metadata.namespace, object.metadata.name, (current) => {
      const finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== finalizer);
      return { ...current, metadata: { ...current.metadata, finalizers } };
    });
  };
  const exists = (dependent: KubeObject, owner: OwnerReference): boolean => {
    const [group, version] = owner.apiVersion.includes('/')
      ? owner.apiVersion.split('/')
      : ['', owner.apiVersion];
    const resource = registry
      .all()
      .find(({ type }) => type.group === group && type.version === version && type.kind === owner.kind);
    // An owner of a kind that is not known (any more) cannot be seen, so it is not taken for gone.
    if (!resource) return true;
    const namespace = resource.type.namespaced ? dependent.metadata.namespace : undefined;
    return store.get(storageType(resource), namespace, owner.name)?.metadata.uid === owner.uid;
  };
  const collect = ({ type, object }: Dependent): void => {
    const owners = object.metadata.ownerReferences ?? [];
    const { uid, namespace, name, deletionTimestamp } = object.metadata;
    if (owners.length === 0 || deletionTimestamp || owners.some((owner) => exists(object, owner))) return;
    store.delete(type, namespace, name, uid === undefined ? {} : { uid });
  };
  const disown = ({ type, object }: Dependent, owner: KubeObject): void => {
    store.update(type, object.metadata.namespace, object.metadata.name, (current) => {
      const left = (current.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
      return { ...current, metadata: { ...current.metadata, ownerReferences: left } };
    });
  };
  const process = (type: ResourceType, object: KubeObject): void => {
    const finalizers = object.metadata.finalizers ?? [];
    if (!object.metadata.deletionTimestamp) return;
    if (finalizers.includes(orphan)) {
      for (const dependent of dependentsOf(object)) disown(dependent, object);
      finish(type, object, orphan);
    } else if (finalizers.includes(foreground)) {
      for (const dependent of dependentsOf(object)) {
        const { namespace, name, deletionTimestamp } = dependent.object.metadata;
        if (!deletionTimestamp) store.delete(dependent.type, namespace, name);
      }
      const blocking = dependentsOf(object).some((dependent) =>
        dependent.object.metadata.ownerReferences?.some(
          (owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion === true,
        ),
      );
      if (!blocking) finish(type, object, foreground);
    }
  };

  return store.watch(({ type, resource, object, previous }) => {
    if (type === 'DELETED') {
      index(resource, { ...object, metadata: { ...object.metadata, ownerReferences: [] } }, object);
      for (const dependent of dependentsOf(object)) collect(dependent);
      for (const owner of object.metadata.ownerReferences ?? []) revisit(owner, object);
      return;
    }
    index(resource, object, previous);
    const owned = object.metadata.ownerReferences !== previous?.metadata.ownerReferences;
    if (owned) collect({ type: resource, object });
    process(resource, object);
  });

  /** A dependent has gone: its owner may have been waiting for that. */
  function revisit(owner: OwnerReference, dependent: KubeObject): void {
    for (const resource of registry.all()) {
      if (resource.type.kind !== owner.kind) continue;
      const namespace = resource.type.namespaced ? dependent.metadata.namespace : undefined;
      const found = store.get(storageType(resource), namespace, owner.name);
      if (found?.metadata.uid === owner.uid) process(storageType(resource), found);
    }
  }
}
