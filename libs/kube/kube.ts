import type { KubeObject, ResourceType } from './object.ts';
import type { Labels } from './path.ts';

/** Deletes only the object that was meant. `uid` is required: a name alone may be somebody else's by now. */
export interface DeletePreconditions {
  uid: string;
  resourceVersion?: string;
}

export interface Listed {
  items: KubeObject[];
  resourceVersion: string;
}

/**
 * One Kubernetes cluster under management, in our own verbs. Reads are consistent (no `resourceVersion=0`).
 * Every method throws a `QuorateError`: KUBE_UNREACHABLE (no answer, 5xx), KUBE_BUSY (429), KUBE_CONFLICT
 * (409 on a precondition), KUBE_EXISTS (409 on create), KUBE_QUOTA_EXCEEDED, KUBE_ADMISSION_REFUSED and
 * KUBE_WEBHOOK_FAILED (by who refused a write), KUBE_INVALID (400 and 422, to which the same request leads again) and
 * KUBE_REFUSED (other 4xx). The HTTP status, the API's `reason` and its message are in `fields` as `status`, `reason`,
 * `message`; in `retryAfterSeconds` for how long the API asked to be left alone, which all requests keep to.
 */
export interface Kube {
  /** The id of this kube, e.g. `local`. */
  readonly id: string;
  /** The object, or `undefined` where the API positively says that there is none (404). */
  get(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    signal?: AbortSignal,
  ): Promise<KubeObject | undefined>;
  list(
    type: ResourceType,
    options?: { namespace?: string; labels?: Labels; signal?: AbortSignal },
  ): Promise<Listed>;
  create(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** Server-side apply with field manager `quorate`, forced. */
  apply(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /**
   * JSON merge patch. With `metadata.uid` or `metadata.resourceVersion` in the patch, the API refuses it
   * (KUBE_CONFLICT) when the object is another one or has changed.
   */
  patch(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    patch: object,
    signal?: AbortSignal,
  ): Promise<KubeObject>;
  /** JSON merge patch of the status subresource; preconditions as in `patch`. */
  patchStatus(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    patch: object,
    signal?: AbortSignal,
  ): Promise<KubeObject>;
  /** `gone` where there was nothing (left) to delete; KUBE_CONFLICT where the object is another one by now. */
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    preconditions: DeletePreconditions,
    signal?: AbortSignal,
  ): Promise<'deleted' | 'gone'>;
  /** Frees the connections. */
  close(): Promise<void>;
}

/** A kube that can only be looked at. */
export type ReadableKube = Pick<Kube, 'id' | 'get' | 'list'>;
