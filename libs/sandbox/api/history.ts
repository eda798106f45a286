import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { ApiStatus, badRequest } from '../status.ts';
import type { Store, StoreChange } from '../store.ts';

/** The latest changes of the store, so that a watch can begin, and a list be taken, in the recent past. */
export interface History {
  /** Changes of the resource after `resourceVersion`; throws Expired (410) where they are no longer kept. */
  since(type: ResourceType, resourceVersion: string): StoreChange[];
  /** The resource's objects as they were at `resourceVersion`; throws Expired (410). */
  listAt(type: ResourceType, namespace: string | undefined, resourceVersion: string): KubeObject[];
  close(): void;
}

export function createHistory(store: Store, capacity: number): History {
  const changes: StoreChange[] = [];
  let oldest = Number(store.resourceVersion());
  const close = store.watch((change) => {
    changes.push(change);
    if (changes.length <= capacity * 2) return;
    for (const dropped of changes.splice(0, capacity)) oldest = revisionOf(dropped);
  });

  const since = (type: ResourceType, resourceVersion: string): StoreChange[] => {
    const revision = Number(resourceVersion);
    if (!Number.isInteger(revision)) throw badRequest(`resourceVersion: Invalid value: "${resourceVersion}"`);
    if (revision < oldest || revision > Number(store.resourceVersion())) {
      throw new ApiStatus(410, 'Expired', `too old resource version: ${resourceVersion} (${oldest})`);
    }
    // Each revision is one change, and none is left out.
    return changes.slice(revision - oldest).filter((change) => isSameResource(change.resource, type));
  };

  return {
    since,
    close,
    listAt: (type, namespace, resourceVersion) => {
      const later = since(type, resourceVersion);
      const present = store.list(type, namespace);
      if (later.length === 0) return present;
      const objects = new Map(present.map((object) => [keyOf(object), object]));
      for (const { object, previous } of later.reverse()) {
        if (namespace !== undefined && object.metadata.namespace !== namespace) continue;
        if (previous) objects.set(keyOf(object), previous);
        else objects.delete(keyOf(object));
      }
      return [...objects.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
    },
  };
}

export function isSameResource(a: ResourceType, b: ResourceType): boolean {
  return a.plural === b.plural && a.group === b.group;
}

/** The order of lists, and what a `continue` token names. */
export function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

function revisionOf(change: StoreChange): number {
  return Number(change.object.metadata.resourceVersion);
}
