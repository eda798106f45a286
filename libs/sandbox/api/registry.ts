import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import type { Store } from '../store.ts';
import { customResources } from './custom.ts';
import { isSameResource } from './history.ts';
import type { Resource } from './resource.ts';

/** The resources that the API serves now: the built-in ones and those of the installed CRDs. */
export interface Registry {
  all(): Resource[];
  find(group: string, version: string, plural: string): Resource | undefined;
  /** Raised with every change of the set, for what is computed from it. */
  generation(): number;
  close(): void;
}

export function createRegistry(store: Store, builtins: Resource[]): Registry {
  const byName = new Map<string, Resource>();
  let resources: Resource[] = [];
  let generation = 0;
  const custom = new Map<string, { spec: unknown; resources: Resource[] }>();

  const rebuild = (): void => {
    generation += 1;
    resources = [...builtins, ...[...custom.values()].flatMap((entry) => entry.resources)];
    byName.clear();
    for (const resource of resources) {
      const { group, version, plural } = resource.type;
      byName.set(`${group}/${version}/${plural}`, resource);
    }
  };
  const install = (definition: KubeObject): void => {
    const { name } = definition.metadata;
    // Only the spec matters here, and every status update of a CRD passes by.
    if (custom.get(name)?.spec === definition['spec']) return;
    custom.set(name, { spec: definition['spec'], resources: customResources(definition) });
    rebuild();
  };

  for (const definition of store.list(resourceTypes.customResourceDefinition)) install(definition);
  rebuild();
  const close = store.watch(({ type, resource, object }) => {
    if (!isSameResource(resource, resourceTypes.customResourceDefinition)) return;
    if (type !== 'DELETED') return install(object);
    custom.delete(object.metadata.name);
    rebuild();
  });

  return {
    all: () => resources,
    find: (group, version, plural) => byName.get(`${group}/${version}/${plural}`),
    generation: () => generation,
    close,
  };
}
