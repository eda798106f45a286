import type { KubeObject, ResourceType } from '../kube/object.ts';

export interface StoreChange {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: ResourceType;
  object: KubeObject;
  /** What the object was before; absent where it was created. */
  previous?: KubeObject;
}

/**
 * The sandbox's objects, in memory, with one counter of resourceVersions. Everything is synchronous, so a
 * read-modify-write is atomic. Objects are never mutated in place: treat what you get as frozen.
 * The API, the controllers and the node of the sandbox all work on it.
 */
export interface Store {
  /** The counter's present value: no object and no change has a later resourceVersion. */
  resourceVersion(): string;
  get(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined;
  list(type: ResourceType, namespace?: string): KubeObject[];
  /** Adds the object with a new uid and resourceVersion; throws an `ApiStatus` AlreadyExists. */
  create(type: ResourceType, object: KubeObject): KubeObject;
  /**
   * Replaces the object by what `change` returns (nothing happens when that equals the old one); sets the
   * resourceVersion, and raises `metadata.generation` when `spec` changed. Removes the object when it has a
   * deletionTimestamp, no finalizers and no grace left. `undefined` where there is no such object.
   */
  update(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (object: KubeObject) => KubeObject,
  ): KubeObject | undefined;
  /**
   * Deletes as the API server does: with finalizers, or for a pod with a grace period, it first sets
   * deletionTimestamp and deletionGracePeriodSeconds (default for pods: spec.terminationGracePeriodSeconds
   * or 30); with grace 0 and no finalizers the object goes at once.
   */
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options?: { gracePeriodSeconds?: number; uid?: string; resourceVersion?: string },
  ): KubeObject | undefined;
  /** Calls the listener on every later change, in order, synchronously after it is stored. Returns the unsubscribe. */
  watch(listener: (change: StoreChange) => void): () => void;
}
