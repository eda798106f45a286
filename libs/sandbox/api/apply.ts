import { isDeepStrictEqual } from 'node:util';
import { ApiStatus, type StatusCause } from '../status.ts';
import { changedFields, type FieldSet, intersection, itemKey, listTopology, pathsOf } from './fieldset.ts';
import { isObject, type JsonObject, objectOf } from './json.ts';
import { fieldSchema, type Schema } from './schema.ts';

export interface ManagedEntry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time?: string;
  fieldsType: 'FieldsV1';
  fieldsV1: FieldSet;
  subresource?: string;
}

/** Merges an applied configuration into the live value: what it names wins, everything else stays. */
export function mergeApplied(live: unknown, applied: unknown, schema: Schema | undefined): unknown {
  if (isObject(applied) && isObject(live) && schema?.['x-kubernetes-map-type'] !== 'atomic') {
    const result: JsonObject = { ...live };
    for (const [field, value] of Object.entries(applied)) {
      result[field] = mergeApplied(live[field], value, fieldSchema(schema, field));
    }
    return result;
  }
  if (Array.isArray(applied) && Array.isArray(live) && listTopology(schema) !== 'atomic') {
    const rest = new Map(live.map((item) => [itemKey(item, schema), item]));
    const merged = applied.map((item) => {
      const key = itemKey(item, schema);
      const other = rest.get(key);
      rest.delete(key);
      return other === undefined ? item : mergeApplied(other, item, schema?.items);
    });
    return [...merged, ...rest.values()];
  }
  return applied;
}

/** Takes the fields of `gone` out of the value; containers that were emptied by it go as well. */
export function removeFields(value: unknown, gone: FieldSet, schema: Schema | undefined): unknown {
  if (Object.keys(gone).length === 0 || gone['.']) return undefined;
  if (isObject(value)) {
    const result: JsonObject = { ...value };
    for (const [field, inner] of Object.entries(value)) {
      const set = gone[`f:${field}`];
      if (!set) continue;
      const left = removeFields(inner, set, fieldSchema(schema, field));
      if (left === undefined) delete result[field];
      else result[field] = left;
    }
    return Object.keys(result).length === 0 ? undefined : result;
  }
  if (Array.isArray(value)) {
    const left = value.flatMap((item) => {
      const set = gone[itemKey(item, schema)];
      if (!set) return [item];
      const rest = removeFields(item, set, schema?.items);
      return rest === undefined ? [] : [rest];
    });
    return left.length === 0 ? undefined : left;
  }
  return value;
}

/**
 * The fields of `applied` that another manager owns and holds at another value, as the 409 that names each of them
 * and its manager; `undefined` where there are none.
 */
export function findConflicts(
  live: JsonObject,
  applied: JsonObject,
  others: ManagedEntry[],
  schema: Schema,
): ApiStatus | undefined {
  const merged = objectOf(mergeApplied(live, applied, schema));
  const changed = changedFields(live, merged, schema);
  const byManager = others
    .map((entry) => ({ entry, paths: pathsOf(intersection(changed, entry.fieldsV1)) }))
    .filter(({ paths }) => paths.length > 0);
  if (byManager.length === 0 || isDeepStrictEqual(live, merged)) return undefined;
  const causes = byManager.flatMap(({ entry, paths }) =>
    paths.map(
      (field): StatusCause => ({
        reason: 'FieldManagerConflict',
        message: `conflict with ${describe(entry)}`,
        field,
      }),
    ),
  );
  const count = `${causes.length} conflict${causes.length === 1 ? '' : 's'}`;
  const [first, ...more] = byManager;
  const message =
    first && more.length === 0
      ? `Apply failed with ${count}: conflict${causes.length === 1 ? '' : 's'} with ${describe(first.entry)}${list(first.paths)}`
      : `Apply failed with ${count}: ${byManager
          .map(
            ({ entry, paths }) =>
              `conflicts with ${describe(entry)}:\n${paths.map((path) => `- ${path}`).join('\n')}`,
          )
          .join('\n')}`;
  return new ApiStatus(409, 'Conflict', message, { causes });
}

const list = (paths: string[]): string =>
  paths.length === 1 ? `: ${paths[0]}` : `:\n${paths.map((path) => `- ${path}`).join('\n')}`;

function describe(entry: ManagedEntry): string {
  const using = entry.operation === 'Update' ? ` using ${entry.apiVersion}` : '';
  const subresource = entry.subresource ? ` with subresource "${entry.subresource}"` : '';
  return `"${entry.manager}"${subresource}${using}`;
}
