import { QuorateError } from '../../errors/catalogue.ts';
import type { Kube } from '../../kube/kube.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';

export interface MemoryKube extends Kube {
  /** What was written, in order, e.g. "create Pod a". */
  readonly writes: string[];
  /** Puts an object there as somebody else would, with a new uid. */
  put(type: ResourceType, object: KubeObject): KubeObject;
}

/** A Kubernetes API in memory, with the preconditions of the real one, for tests of what stands on `Kube`. */
export function createMemoryKube(): MemoryKube {
  const objects = new Map<string, KubeObject>();
  const writes: string[] = [];
  let version = 0;
  const pathOf = (type: ResourceType, namespace: string | undefined, name: string) =>
    [type.group, type.plural, namespace ?? '', name].join('/');

  function store(type: ResourceType, object: KubeObject, uid: string): KubeObject {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
    objects.set(pathOf(type, object.metadata.namespace, object.metadata.name), stored);
    return structuredClone(stored);
  }
  function find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined {
    return structuredClone(objects.get(pathOf(type, namespace, name)));
  }
  async function change(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    patch: object,
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    signal?.throwIfAborted();
    const present = find(type, namespace, name);
    if (!present) throw new QuorateError('KUBE_REFUSED', `${name} not found`, { status: 404 });
    const { metadata, ...rest } = patch as Partial<KubeObject>;
    checkPreconditions(present, metadata ?? {});
    writes.push(`patch ${type.kind} ${name}`);
    const merged = { ...present.metadata, ...metadata };
    const annotations = Object.entries({ ...present.metadata.annotations, ...metadata?.annotations });
    // In a merge patch, null takes away.
    merged.annotations = Object.fromEntries(annotations.filter(([, value]) => value !== null));
    return store(type, { ...present, ...rest, metadata: merged }, present.metadata.uid ?? '');
  }

  return {
    id: 'memory',
    writes,
    put: (type, object) => store(type, object, `uid-${version + 1}`),
    async get(type, namespace, name, signal) {
      signal?.throwIfAborted();
      return find(type, namespace, name);
    },
    async list(type, options = {}) {
      const start = pathOf(type, options.namespace, '');
      const items = [...objects].flatMap(([path, object]) => (path.startsWith(start) ? [object] : []));
      return { items: structuredClone(items), resourceVersion: String(version) };
    },
    async create(type, object, signal) {
      signal?.throwIfAborted();
      const { namespace, name } = object.metadata;
      if (find(type, namespace, name)) throw new QuorateError('KUBE_EXISTS', name);
      writes.push(`create ${type.kind} ${name}`);
      return store(type, object, `uid-${version + 1}`);
    },
    async apply(type, object, signal) {
      signal?.throwIfAborted();
      const { namespace, name } = object.metadata;
      writes.push(`apply ${type.kind} ${name}`);
      const uid = find(type, namespace, name)?.metadata.uid;
      return store(type, object, uid ?? `uid-${version + 1}`);
    },
    patch: change,
    patchStatus: change,
    async delete(type, namespace, name, preconditions, signal) {
      signal?.throwIfAborted();
      const present = find(type, namespace, name);
      if (!present) return 'gone';
      checkPreconditions(present, preconditions);
      writes.push(`delete ${type.kind} ${name}`);
      objects.delete(pathOf(type, namespace, name));
      return 'deleted';
    },
    async close() {},
  };
}

function checkPreconditions(present: KubeObject, wanted: { uid?: string; resourceVersion?: string }): void {
  const { uid, resourceVersion } = present.metadata;
  const isOther = wanted.uid !== undefined && wanted.uid !== uid;
  const isChanged = wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion;
  if (isOther || isChanged) throw new QuorateError('KUBE_CONFLICT', present.metadata.name);
}
