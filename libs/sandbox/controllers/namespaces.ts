import { type KubeObject, type ResourceType, resourceTypes } from '../../kube/object.ts';
import { objectOf } from '../api/json.ts';
import { namespaceRules, permanentNamespaces } from '../api/kinds/namespace.ts';
import type { Registry } from '../api/registry.ts';
import { storageType } from '../api/write.ts';
import type { Store } from '../store.ts';

const serviceAccount: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};

/**
 * Makes the namespaces that are always there, gives each its default service account, and empties one that is being
 * deleted before it goes.
 */
export function startNamespaces(store: Store, registry: Registry): () => void {
  const namespaced = () =>
    registry
      .all()
      .filter(({ type }) => type.namespaced)
      .map(storageType);

  const empty = (name: string): void => {
    const namespace = store.get(resourceTypes.namespace, undefined, name);
    if (!namespace?.metadata.deletionTimestamp) return;
    const terminating = { ...objectOf(namespace['status']), phase: 'Terminating' };
    store.update(resourceTypes.namespace, undefined, name, (current) => ({
      ...current,
      status: terminating,
    }));
    let left = 0;
    for (const type of namespaced()) {
      for (const object of store.list(type, name)) {
        if (!object.metadata.deletionTimestamp) store.delete(type, name, object.metadata.name);
      }
      left += store.list(type, name).length;
    }
    if (left > 0) return;
    store.update(resourceTypes.namespace, undefined, name, (current) => ({
      ...current,
      spec: { ...objectOf(current['spec']), finalizers: [] },
    }));
  };

  const stop = store.watch(({ type, resource, object }) => {
    const { name, namespace } = object.metadata;
    if (resource.plural === 'namespaces' && resource.group === '') {
      if (type === 'ADDED') createServiceAccount(store, name);
      else if (type === 'MODIFIED') empty(name);
    } else if (type === 'DELETED' && namespace !== undefined) empty(namespace);
  });
  for (const name of permanentNamespaces) createNamespace(store, name);
  return stop;
}

function createNamespace(store: Store, name: string): void {
  if (store.get(resourceTypes.namespace, undefined, name)) return;
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  store.create(resourceTypes.namespace, namespaceRules.onCreate?.(namespace) ?? namespace);
}

function createServiceAccount(store: Store, namespace: string): void {
  if (store.get(serviceAccount, namespace, 'default')) return;
  store.create(serviceAccount, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  });
}
