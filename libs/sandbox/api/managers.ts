import type { KubeObject } from '../../kube/object.ts';
import type { ManagedEntry } from './apply.ts';
import { changedFields, difference, type FieldSet, intersection, ownableFields, union } from './fieldset.ts';
import { isObject, type JsonObject, listOf, without } from './json.ts';
import type { Resource } from './resource.ts';

/** Who writes, as `managedFields` tells managers apart. */
export interface Writer {
  manager: string;
  operation: 'Apply' | 'Update';
  subresource?: string;
  time: string;
}

export function entriesOf(object: KubeObject | undefined): ManagedEntry[] {
  return listOf(object?.metadata.managedFields).filter(
    (entry) => isObject(entry) && isObject(entry['fieldsV1']),
  ) as ManagedEntry[];
}

export function isWriter(entry: ManagedEntry, writer: Writer): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === writer.operation &&
    entry.subresource === writer.subresource
  );
}

/**
 * The object with the ownership of fields that follows from a plain write: the writer owns what it changed, nobody
 * else does any more, and what is gone belongs to nobody. `old` is absent at a create.
 */
export function trackUpdate(
  old: KubeObject | undefined,
  next: KubeObject,
  resource: Resource,
  writer: Writer,
): KubeObject {
  const present = ownableFields(next, resource.schema);
  const changed = old
    ? intersection(changedFields(comparable(old), comparable(next), resource.schema), present)
    : present;
  const kept = entriesOf(next).map((entry) => {
    const fields = intersection(entry.fieldsV1, present);
    return { ...entry, fieldsV1: isWriter(entry, writer) ? fields : difference(fields, changed) };
  });
  return withEntries(next, recordOwned(kept, changed, resource, writer, false));
}

/** The entries with the writer's own set: replaced by `fields`, or extended by them. */
export function recordOwned(
  entries: ManagedEntry[],
  fields: FieldSet,
  resource: Resource,
  writer: Writer,
  replace: boolean,
): ManagedEntry[] {
  const { time, ...identity } = writer;
  const mine = entries.find((entry) => isWriter(entry, writer));
  const owned = replace ? fields : union(mine?.fieldsV1 ?? {}, fields);
  const { group, version } = resource.type;
  const entry: ManagedEntry = {
    ...identity,
    apiVersion: group === '' ? version : `${group}/${version}`,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: owned,
  };
  const unchanged =
    mine !== undefined &&
    (replace ? JSON.stringify(mine.fieldsV1) === JSON.stringify(owned) : Object.keys(fields).length === 0);
  // The time says when it last wrote something new, so that an apply that changes nothing writes nothing.
  const updated = unchanged ? mine : entry;
  const next = mine ? entries.map((other) => (other === mine ? updated : other)) : [...entries, updated];
  return next.filter(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0);
}

export function withEntries(object: KubeObject, entries: ManagedEntry[]): KubeObject {
  return { ...object, metadata: { ...object.metadata, managedFields: entries } };
}

/** What ownership is computed from: without what the server itself keeps. */
function comparable(object: KubeObject): JsonObject {
  const metadata = without(
    object.metadata,
    'managedFields',
    'resourceVersion',
    'generation',
    'deletionTimestamp',
  );
  return { ...object, metadata };
}
