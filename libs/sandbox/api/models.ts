import { modelFields } from '../../kube/models.ts';
import type { Schema } from './schema.ts';

/** Lists that are merged by the keys of their items, where a plain list would be replaced as a whole. */
const mapLists: Record<string, { keys: string[]; patchKey?: string }> = {
  'V1ObjectMeta.ownerReferences': { keys: ['uid'] },
  'V1PodSpec.containers': { keys: ['name'] },
  'V1PodSpec.initContainers': { keys: ['name'] },
  'V1PodSpec.ephemeralContainers': { keys: ['name'] },
  'V1PodSpec.volumes': { keys: ['name'] },
  'V1PodSpec.imagePullSecrets': { keys: ['name'] },
  'V1PodSpec.hostAliases': { keys: ['ip'] },
  'V1Container.env': { keys: ['name'] },
  'V1Container.ports': { keys: ['containerPort', 'protocol'], patchKey: 'containerPort' },
  'V1Container.volumeMounts': { keys: ['mountPath'] },
  'V1Container.volumeDevices': { keys: ['devicePath'] },
  'V1PodStatus.conditions': { keys: ['type'] },
  'V1PodStatus.podIPs': { keys: ['ip'] },
  'V1ServiceSpec.ports': { keys: ['port', 'protocol'], patchKey: 'port' },
  'V1ServiceStatus.conditions': { keys: ['type'] },
  'V1ServiceAccount.secrets': { keys: ['name'] },
  'V1NodeStatus.conditions': { keys: ['type'] },
  'V1NodeStatus.addresses': { keys: ['type'] },
  'V1NamespaceStatus.conditions': { keys: ['type'] },
  'V1PersistentVolumeClaimStatus.conditions': { keys: ['type'] },
  'V1PodDisruptionBudgetStatus.conditions': { keys: ['type'] },
  'V1CustomResourceDefinitionStatus.conditions': { keys: ['type'] },
};
const setLists = new Set(['V1ObjectMeta.finalizers']);
const atomicObjects = new Set([
  'V1LabelSelector',
  'V1ObjectReference',
  'V1LocalObjectReference',
  'V1ObjectFieldSelector',
  'V1SecretKeySelector',
  'V1ConfigMapKeySelector',
  'V1OwnerReference',
  'V1NodeSelector',
  'V1PodSpec.nodeSelector',
  'V1ServiceSpec.selector',
]);
/** Maps of quantities, which may be written as numbers and are kept as text. */
const quantityMaps = new Set([
  'limits',
  'requests',
  'capacity',
  'allocatable',
  'allocatedResources',
  'overhead',
]);

const schemas = new Map<string, Schema>();
const names = new WeakMap<Schema, string>();

/** The schema of a built-in type; the same object each time, and types that contain each other are linked. */
export function modelSchema(model: string): Schema {
  const known = schemas.get(model);
  if (known) return known;
  const schema: Schema = { type: 'object', properties: {} };
  schemas.set(model, schema);
  names.set(schema, model);
  if (atomicObjects.has(model)) schema['x-kubernetes-map-type'] = 'atomic';
  const fields = modelFields(model);
  // A schema within a CRD is checked as what it is, not as a fixed set of fields.
  if (!fields || model === 'V1JSONSchemaProps') return Object.assign(schema, keepsEverything());
  const properties: Record<string, Schema> = {};
  for (const { name, type, format } of fields) {
    properties[name] = { ...typeSchema(type, format, name), ...listKeywords(`${model}.${name}`) };
    const property = properties[name];
    if (property.properties && modelFields(type)) properties[name] = modelSchema(type);
  }
  schema.properties = properties;
  return schema;
}

/** The name of a built-in type's schema, for references between them. */
export function modelName(schema: Schema): string | undefined {
  return names.get(schema);
}

const keepsEverything = (): Schema => ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });

function typeSchema(type: string, format: string, field: string): Schema {
  const list = /^Array<(.*)>$/.exec(type);
  if (list?.[1]) return { type: 'array', items: typeSchema(list[1], format, field) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map?.[1]) {
    const quantity: Schema = { 'x-kubernetes-int-or-string': true, format: 'quantity' };
    const values = quantityMaps.has(field) ? quantity : typeSchema(map[1], format, field);
    return { type: 'object', additionalProperties: values };
  }
  switch (type) {
    case 'string':
    case 'boolean':
      return { type };
    case 'number':
      return format.startsWith('int') ? { type: 'integer', format } : { type: 'number' };
    case 'Date':
    case 'V1MicroTime':
      return { type: 'string', format: 'date-time' };
    case 'IntOrString':
      return { 'x-kubernetes-int-or-string': true };
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true };
    default:
      return modelSchema(type);
  }
}

function listKeywords(field: string): Partial<Schema> {
  const keys = mapLists[field];
  if (keys) {
    return {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': keys.keys,
      'x-kubernetes-patch-merge-key': keys.patchKey ?? keys.keys[0] ?? '',
      'x-kubernetes-patch-strategy': 'merge',
    };
  }
  if (setLists.has(field)) return { 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' };
  if (atomicObjects.has(field)) return { 'x-kubernetes-map-type': 'atomic' };
  return {};
}
