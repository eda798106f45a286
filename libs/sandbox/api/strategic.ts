import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject, listOf } from './json.ts';
import { fieldSchema, type Schema } from './schema.ts';

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch: like a JSON merge patch, but lists with a merge key are merged item by item and
 * sets are united. Understands the directives `$patch` (delete, replace), `$retainKeys`, `$setElementOrder/…` and
 * `$deleteFromPrimitiveList/…`. https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */
export function strategicMerge(live: unknown, patch: unknown, schema: Schema | undefined): unknown {
  if (!isObject(patch)) return patch;
  if (patch['$patch'] === 'replace') return plainFields(patch);
  if (patch['$patch'] === 'delete') return undefined;
  const result: JsonObject = isObject(live) ? { ...live } : {};
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) {
    for (const field of Object.keys(result)) if (!retained.includes(field)) delete result[field];
  }
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith(deletePrefix)) {
      const name = field.slice(deletePrefix.length);
      result[name] = listOf(result[name]).filter((item) => !listOf(value).includes(item));
    } else if (field.startsWith('$')) continue;
    else if (value === null) delete result[field];
    else if (Array.isArray(value)) {
      const order = listOf(patch[`${orderPrefix}${field}`]);
      result[field] = mergeList(listOf(result[field]), value, fieldSchema(schema, field), order);
    } else result[field] = strategicMerge(result[field], value, fieldSchema(schema, field));
  }
  return result;
}

function plainFields(patch: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(patch).filter(([field]) => !field.startsWith('$')));
}

function mergeList(
  live: unknown[],
  patch: unknown[],
  schema: Schema | undefined,
  order: unknown[],
): unknown[] {
  const key = schema?.['x-kubernetes-patch-merge-key'];
  if (schema?.['x-kubernetes-list-type'] === 'set') return [...new Set([...live, ...patch])];
  if (key === undefined) return patch;
  const items = patch.filter(isObject);
  if (items.some((item) => item['$patch'] === 'replace'))
    return items.filter((item) => item['$patch'] === undefined);
  const result = [...live];
  for (const item of items) {
    const index = result.findIndex((other) => isObject(other) && isDeepStrictEqual(other[key], item[key]));
    const merged = strategicMerge(result[index], item, schema?.items);
    if (merged === undefined) {
      if (index >= 0) result.splice(index, 1);
    } else if (index >= 0) result[index] = merged;
    else result.push(merged);
  }
  if (order.length === 0) return result;
  const position = (item: unknown): number => {
    const at = order.findIndex((other) => isObject(other) && isObject(item) && other[key] === item[key]);
    return at < 0 ? order.length : at;
  };
  return result.sort((a, b) => position(a) - position(b));
}
