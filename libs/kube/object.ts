/** The words of the Kubernetes API that every part of Quorate shares: objects, kinds, owners, labels. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  managedFields?: unknown[];
  generateName?: string;
}

/** Any object of the Kubernetes API. `spec`, `status` and `data` are read with care by whoever knows the kind. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** What the API's paths need to know of a kind. `group` is empty for the core group. */
export interface ResourceType {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  /** Versions of the same shape for API servers that do not serve `version` yet, newest first. */
  olderVersions?: readonly string[];
}

export const resourceTypes = {
  pod: { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true },
  service: { group: '', version: 'v1', kind: 'Service', plural: 'services', namespaced: true },
  claim: {
    group: '',
    version: 'v1',
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    namespaced: true,
  },
  /** Kubernetes 1.20 serves only v1beta1, from 1.25 on only v1 is left. */
  budget: {
    group: 'policy',
    version: 'v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    namespaced: true,
    olderVersions: ['v1beta1'],
  },
  secret: { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true },
  event: { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true },
  namespace: { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
  node: { group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false },
  customResourceDefinition: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
} as const satisfies Record<string, ResourceType>;

/** `v1` or `group/version`, as in an object's `apiVersion`. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Labels on every object that Quorate owns; the first is what the watcher selects by. */
export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  managedByValue: 'quorate',
  /** The engine, e.g. `etcd`. */
  engine: 'quorate.io/engine',
  /** The name of the cluster's custom resource; its namespace is the object's own. */
  cluster: 'quorate.io/cluster',
  /** The member's number, on pods and claims. */
  member: 'quorate.io/member',
} as const;

/** A condition in the status of an object, as Kubernetes' API conventions lay them out. */
export interface KubeCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}
