import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import { isSameResource } from '../api/history.ts';
import { listOf, valueAt } from '../api/json.ts';
import { claimProtection } from '../api/kinds/storage.ts';
import type { Store } from '../store.ts';

/** Lets a claim that is being deleted go once no pod that still runs uses it. */
export function startClaims(store: Store): () => void {
  const release = (claim: KubeObject): void => {
    const { namespace, name, deletionTimestamp, finalizers } = claim.metadata;
    if (!deletionTimestamp || !finalizers?.includes(claimProtection)) return;
    if (store.list(resourceTypes.pod, namespace).some((pod) => uses(pod, name))) return;
    store.update(resourceTypes.claim, namespace, name, (current) => {
      const left = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== claimProtection);
      return { ...current, metadata: { ...current.metadata, finalizers: left } };
    });
  };
  return store.watch(({ type, resource, object }) => {
    if (isSameResource(resource, resourceTypes.claim) && type !== 'DELETED') release(object);
    // A pod matters here only when it stops using claims: when it goes or finishes.
    if (!isSameResource(resource, resourceTypes.pod) || (type !== 'DELETED' && !isFinished(object))) return;
    for (const claim of store.list(resourceTypes.claim, object.metadata.namespace)) release(claim);
  });
}

function isFinished(pod: KubeObject): boolean {
  return ['Succeeded', 'Failed'].includes(String(valueAt(pod, 'status', 'phase')));
}

function uses(pod: KubeObject, claim: string): boolean {
  if (isFinished(pod)) return false;
  const volumes = listOf(valueAt(pod, 'spec', 'volumes'));
  return volumes.some((volume) => valueAt(volume, 'persistentVolumeClaim', 'claimName') === claim);
}
