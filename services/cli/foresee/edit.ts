import { isError } from '../../../libs/errors/catalogue.ts';
import { resourceTypeOf } from '../../../libs/kube/definition.ts';
import type { Kube } from '../../../libs/kube/kube.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import type { Manifest } from './manifest.ts';

/** A resource as it would be after an edit. */
export interface Edited {
  resource: KubeObject;
  /** The API has checked and completed it; if not, that was not allowed. */
  isTried: boolean;
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What `kubectl apply` would make of it, by a dry run: `dryKube` is connected for nothing else. Throws what the API
 * refuses it with. Where only the right to try is missing, the edit is put together here.
 */
export async function tryEdit(
  dryKube: Kube,
  { engine, key, object }: Manifest,
  present: KubeObject | undefined,
): Promise<Edited> {
  const type = resourceTypeOf(engine.resource);
  const { namespace, name } = key;
  const patch = applyPatch(object, present);
  const own = { ...object, metadata: { ...object.metadata, namespace } };
  try {
    const resource = present
      ? await dryKube.patch(type, namespace, name, patch)
      : await dryKube.create(type, own);
    return { resource, isTried: true };
  } catch (error) {
    const isRightMissing = isError(error, 'KUBE_REFUSED') && error.fields['status'] === 403;
    if (!isRightMissing) throw error;
    return { resource: present ? (merged(present, patch) as KubeObject) : own, isTried: false };
  }
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The merge patch that `kubectl apply` sends: what the file says, and what the file before it said and this one does
 * not any more is removed. Pure.
 */
export function applyPatch(object: KubeObject, present: KubeObject | undefined): Fields {
  const { labels, annotations } = object.metadata;
  const meaning = (of: Partial<KubeObject>): Fields => ({
    metadata: { labels: of.metadata?.labels ?? {}, annotations: of.metadata?.annotations ?? {} },
    spec: of['spec'] ?? {},
  });
  const before = JSON.parse(present?.metadata.annotations?.[lastApplied] ?? '{}') as Partial<KubeObject>;
  const wanted = meaning({
    ...object,
    metadata: { name: '', ...(labels && { labels }), ...(annotations && { annotations }) },
  });
  return merged(removals(meaning(before), wanted), wanted, true) as Fields;
}

/** `null` for each field that is gone. */
function removals(before: Fields, wanted: Fields): Fields {
  const entries = Object.entries(before).flatMap(([field, value]): [string, unknown][] => {
    if (!(field in wanted)) return [[field, null]];
    const other = wanted[field];
    return isFields(value) && isFields(other) ? [[field, removals(value, other)]] : [];
  });
  return Object.fromEntries(entries);
}

/** A JSON merge patch applied (RFC 7396); `keepNulls` puts two patches together. */
function merged(target: unknown, patch: unknown, keepNulls = false): unknown {
  if (!isFields(patch)) return patch;
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null && !keepNulls) delete result[field];
    else result[field] = merged(result[field], value, keepNulls);
  }
  return result;
}
