import { type KubeObject, type ResourceType, resourceTypes } from '../../kube/object.ts';
import { listOf, objectOf } from '../api/json.ts';
import { definitionFinalizer } from '../api/kinds/definition.ts';
import type { Registry } from '../api/registry.ts';
import { storageType } from '../api/write.ts';
import { timestamp } from '../memory.ts';
import type { Store } from '../store.ts';

const type = resourceTypes.customResourceDefinition;

/** Declares CRDs established, and deletes their resources before a CRD goes. */
export function startDefinitions(store: Store, registry: Registry): () => void {
  const establish = (definition: KubeObject): void => {
    const spec = objectOf(definition['spec']);
    const status = objectOf(definition['status']);
    const stored = listOf(spec['versions'])
      .map(objectOf)
      .find((version) => version['storage'] === true);
    const storedVersions = [...new Set([...listOf(status['storedVersions']), stored?.['name']])];
    const conditions =
      listOf(status['conditions']).length > 0 ? status['conditions'] : newConditions(new Date());
    const next = { ...status, acceptedNames: spec['names'], conditions, storedVersions };
    store.update(type, undefined, definition.metadata.name, (current) => ({ ...current, status: next }));
  };

  const empty = (definition: KubeObject): void => {
    const resources = registry.all().filter((resource) => isOf(resource.type, definition));
    const [resource] = resources;
    const left = resource ? store.list(storageType(resource)) : [];
    if (resource) {
      for (const object of left) {
        if (object.metadata.deletionTimestamp) continue;
        store.delete(storageType(resource), object.metadata.namespace, object.metadata.name);
      }
      if (store.list(storageType(resource)).length > 0) return;
    }
    store.update(type, undefined, definition.metadata.name, (current) => {
      const finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== definitionFinalizer);
      return { ...current, metadata: { ...current.metadata, finalizers } };
    });
  };

  return store.watch((change) => {
    if (change.resource.plural === type.plural && change.resource.group === type.group) {
      if (change.type === 'DELETED') return;
      if (change.object.metadata.deletionTimestamp) empty(change.object);
      else establish(change.object);
    } else if (change.type === 'DELETED') {
      const name = `${change.resource.plural}.${change.resource.group}`;
      const definition = store.get(type, undefined, name);
      if (definition?.metadata.deletionTimestamp) empty(definition);
    }
  });
}

function isOf({ group, plural }: ResourceType, definition: KubeObject): boolean {
  return `${plural}.${group}` === definition.metadata.name;
}

function newConditions(now: Date): object[] {
  const lastTransitionTime = timestamp(now);
  return [
    {
      type: 'NamesAccepted',
      status: 'True',
      lastTransitionTime,
      reason: 'NoConflicts',
      message: 'no conflicts found',
    },
    {
      type: 'Established',
      status: 'True',
      lastTransitionTime,
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    },
  ];
}
