import type { KindRules } from './rules.ts';

/** The namespaces that are always there and cannot be deleted. */
export const permanentNamespaces = ['default', 'kube-system'];

/** A namespace is held by its content: the namespace controller takes this finalizer away. */
const finalizers = ['kubernetes'];

export const namespaceRules: KindRules = {
  prepare: (object, old) => ({ spec: old?.['spec'] ?? { finalizers }, ...object }),
  onCreate: (object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name },
    },
    spec: { finalizers },
    status: { phase: 'Active' },
  }),
};
