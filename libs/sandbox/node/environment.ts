import type { KubeObject } from '../../kube/object.ts';
import { expand } from './expand.ts';
import {
  type ContainerSpec,
  type EnvironmentEntry,
  podSpecOf,
  podStatusOf,
  type Reference,
  Waiting,
} from './spec.ts';

/** Reads the entries of a ConfigMap or Secret of the pod's namespace; `undefined` where there is none. */
export type ReadEntries = (kind: 'ConfigMap' | 'Secret', name: string) => Record<string, Buffer> | undefined;

/**
 * The environment of one container: the image's, then envFrom, then env in order, each expanded with what stands
 * before it. Throws `Waiting` (CreateContainerConfigError) where something it refers to is missing.
 */
export function environmentOf(
  pod: KubeObject,
  container: ContainerSpec,
  image: Record<string, string>,
  read: ReadEntries,
): Record<string, string> {
  const environment = { ...image };
  for (const source of container.envFrom ?? []) {
    const prefix = source.prefix ?? '';
    const all = {
      ...entries('ConfigMap', source.configMapRef, read),
      ...entries('Secret', source.secretRef, read),
    };
    for (const [name, value] of Object.entries(all)) environment[prefix + name] = value.toString('utf8');
  }
  for (const entry of container.env ?? []) {
    const value = valueFor(pod, entry, environment, read);
    if (value !== undefined) environment[entry.name] = value;
  }
  return environment;
}

/** The value of a field that the downward API offers, e.g. `status.podIP` or `metadata.labels['app']`. */
export function fieldOf(pod: KubeObject, path: string): string {
  const { metadata } = pod;
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
    case 'metadata.annotations': {
      const all = Object.entries(metadata[path === 'metadata.labels' ? 'labels' : 'annotations'] ?? {});
      return all
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join('\n');
    }
    case 'spec.nodeName':
      return podSpecOf(pod).nodeName ?? '';
    case 'spec.serviceAccountName':
      return 'default';
    case 'status.podIP':
    case 'status.podIPs':
      return podStatusOf(pod).podIP ?? '';
    case 'status.hostIP':
      return String(podStatusOf(pod)['hostIP'] ?? '');
    default:
      throw new Waiting('CreateContainerConfigError', `the downward API has no field ${path}`);
  }
}

function entries(kind: 'ConfigMap' | 'Secret', reference: Reference | undefined, read: ReadEntries) {
  if (reference === undefined) return {};
  const found = read(kind, reference.name);
  if (found || reference.optional) return found ?? {};
  throw new Waiting('CreateContainerConfigError', `${kind.toLowerCase()} "${reference.name}" not found`);
}

function valueFor(
  pod: KubeObject,
  entry: EnvironmentEntry,
  before: Record<string, string>,
  read: ReadEntries,
): string | undefined {
  const from = entry.valueFrom;
  if (from?.fieldRef) return fieldOf(pod, from.fieldRef.fieldPath);
  const kind = from?.configMapKeyRef ? 'ConfigMap' : 'Secret';
  const reference = from?.configMapKeyRef ?? from?.secretKeyRef;
  if (!reference) return expand(entry.value ?? '', before);
  const value = entries(kind, reference, read)[reference.key];
  if (value || reference.optional) return value?.toString('utf8');
  const where = `${kind.toLowerCase()} "${reference.name}"`;
  throw new Waiting('CreateContainerConfigError', `couldn't find key ${reference.key} in ${where}`);
}
