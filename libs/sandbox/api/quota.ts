import { type KubeObject, type ResourceType, resourceTypes } from '../../kube/object.ts';
import { ApiStatus } from '../status.ts';
import type { ApiContext } from './context.ts';
import { valueAt } from './json.ts';
import type { KindRules } from './kinds/rules.ts';

export const quotaType: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
};

/** In force at once; what is used is counted when it matters, and not kept up to date. */
export const quotaRules: KindRules = {
  onCreate: (quota) => ({ ...quota, status: { hard: valueAt(quota, 'spec', 'hard') ?? {} } }),
};

/** Throws Forbidden where a quota of the namespace allows no more pods. Of a quota nothing but `pods` is looked at. */
export function checkQuota({ store }: ApiContext, type: ResourceType, { metadata }: KubeObject): void {
  if (type.group !== '' || type.plural !== 'pods') return;
  const { namespace, name } = metadata;
  for (const quota of store.list(quotaType, namespace)) {
    const limit = valueAt(quota, 'spec', 'hard', 'pods');
    const used = store.list(resourceTypes.pod, namespace).filter(isUnfinished).length;
    if (limit === undefined || used < Number(limit)) continue;
    const exceeded = `exceeded quota: ${quota.metadata.name}, requested: pods=1, used: pods=${used}, limited: pods=${limit}`;
    throw new ApiStatus(403, 'Forbidden', `pods "${name}" is forbidden: ${exceeded}`, { name, kind: 'pods' });
  }
}

const isUnfinished = (pod: KubeObject): boolean =>
  !['Succeeded', 'Failed'].includes(String(valueAt(pod, 'status', 'phase')));
