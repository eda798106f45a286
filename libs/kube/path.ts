import type { ResourceType } from './object.ts';

/** The path of a kind (of one namespace, or of all without one), or of one object and its subresource. */
export function pathOf(
  type: ResourceType,
  namespace?: string,
  name?: string,
  subresource?: 'status',
): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope =
    type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${type.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** Labels that objects must carry, each with a value, or with any where it is `true`. */
export type Labels = Record<string, string | true>;

/** `a=1,b`: the objects that carry all these labels. Sorted, so that equal selectors read the same. */
export function selectorOf(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => (value === true ? label : `${label}=${value}`))
    .sort()
    .join(',');
}
