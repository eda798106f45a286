import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { resourceTypes } from '../../kube/object.ts';
import { definitionRules } from './kinds/definition.ts';
import { namespaceRules } from './kinds/namespace.ts';
import { podRules } from './kinds/pod.ts';
import type { KindRules } from './kinds/rules.ts';
import { secretRules } from './kinds/secret.ts';
import { serviceRules } from './kinds/service.ts';
import { claimRules, storageClassRules } from './kinds/storage.ts';
import { modelSchema } from './models.ts';
import { quotaRules, quotaType } from './quota.ts';
import type { Resource } from './resource.ts';

const core = (kind: string, plural: string, namespaced = true): ResourceType => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  namespaced,
});

const named = (group: string, kind: string, plural: string, namespaced = true): ResourceType => ({
  group,
  version: 'v1',
  kind,
  plural,
  namespaced,
});

interface Options {
  model?: string;
  shortNames?: string[];
  categories?: string[];
  status?: boolean;
  rules?: KindRules;
}

function builtin(type: ResourceType, options: Options = {}): Resource {
  return {
    type,
    storageVersion: type.version,
    builtin: true,
    singular: type.kind.toLowerCase(),
    listKind: `${type.kind}List`,
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    schema: modelSchema(options.model ?? `V1${type.kind}`),
    statusSubresource: options.status ?? false,
    rules: options.rules ?? {},
  };
}

/** The kinds the sandbox has without any CustomResourceDefinition. */
export function builtinResources(allocateClusterIp: (service: KubeObject) => string): Resource[] {
  const all = ['all'];
  return [
    builtin(resourceTypes.namespace, { shortNames: ['ns'], status: true, rules: namespaceRules }),
    builtin(resourceTypes.node, { shortNames: ['no'], status: true }),
    builtin(resourceTypes.pod, { shortNames: ['po'], categories: all, status: true, rules: podRules }),
    builtin(resourceTypes.service, {
      shortNames: ['svc'],
      categories: all,
      status: true,
      rules: serviceRules(allocateClusterIp),
    }),
    builtin(core('Endpoints', 'endpoints'), { shortNames: ['ep'] }),
    builtin(core('ConfigMap', 'configmaps'), { shortNames: ['cm'] }),
    builtin(resourceTypes.secret, { rules: secretRules }),
    builtin(resourceTypes.claim, { shortNames: ['pvc'], status: true, rules: claimRules }),
    builtin(resourceTypes.event, { model: 'CoreV1Event', shortNames: ['ev'] }),
    builtin(core('ServiceAccount', 'serviceaccounts'), { shortNames: ['sa'] }),
    builtin(resourceTypes.customResourceDefinition, {
      shortNames: ['crd', 'crds'],
      categories: ['api-extensions'],
      status: true,
      rules: definitionRules,
    }),
    builtin(named('coordination.k8s.io', 'Lease', 'leases')),
    ...['v1', 'v1beta1'].map((version) => ({
      ...builtin({ ...resourceTypes.budget, version }, { shortNames: ['pdb'], status: true }),
      storageVersion: 'v1',
    })),
    builtin(quotaType, { shortNames: ['quota'], status: true, rules: quotaRules }),
    builtin(named('storage.k8s.io', 'StorageClass', 'storageclasses', false), {
      shortNames: ['sc'],
      rules: storageClassRules,
    }),
  ];
}
