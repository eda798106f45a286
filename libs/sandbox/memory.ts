import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import { alreadyExists, conflict } from './status.ts';
import type { Store, StoreChange } from './store.ts';
import { createTable, type Table } from './table.ts';

const defaultGracePeriodSeconds = 30;

/** The store in memory. All versions of a resource share one table; whoever reads converts. */
export function createStore(now: () => Date = () => new Date()): Store {
  const tables = new Map<string, Table>();
  const listeners = new Set<(change: StoreChange) => void>();
  const pending: StoreChange[] = [];
  let notifying = false;
  let revision = 0;

  const table = (type: ResourceType): Table => {
    const key = `${type.group}/${type.plural}`;
    const found = tables.get(key);
    if (found) return found;
    const created = createTable();
    tables.set(key, created);
    return created;
  };

  const nextRevision = (): string => {
    revision += 1;
    return String(revision);
  };

  /** A listener may write: its changes wait until everyone has seen the ones before. */
  const notify = (change: StoreChange): void => {
    pending.push(change);
    if (notifying) return;
    notifying = true;
    try {
      for (let next = pending.shift(); next; next = pending.shift()) {
        for (const listener of [...listeners]) listener(next);
      }
    } finally {
      notifying = false;
    }
  };

  const remove = (type: ResourceType, previous: KubeObject, last: KubeObject): KubeObject => {
    const object = { ...last, metadata: { ...last.metadata, resourceVersion: nextRevision() } };
    table(type).delete(last.metadata.namespace, last.metadata.name);
    notify({ type: 'DELETED', resource: type, object, previous });
    return object;
  };

  const replace = (type: ResourceType, previous: KubeObject, next: KubeObject): KubeObject => {
    const { metadata } = next;
    const respecified =
      (next['spec'] !== previous['spec'] && !isDeepStrictEqual(next['spec'], previous['spec'])) ||
      (metadata.deletionTimestamp !== undefined && previous.metadata.deletionTimestamp === undefined);
    const generation = (previous.metadata.generation ?? 1) + (respecified ? 1 : 0);
    const object = {
      ...next,
      metadata: { ...metadata, ...identityOf(previous), generation, resourceVersion: nextRevision() },
    };
    table(type).set(object);
    notify({ type: 'MODIFIED', resource: type, object, previous });
    return object;
  };

  const get: Store['get'] = (type, namespace, name) =>
    table(type).get(type.namespaced ? namespace : undefined, name);

  return {
    resourceVersion: () => String(revision),
    get,
    list: (type, namespace) => table(type).list(type.namespaced ? namespace : undefined),
    create: (type, given) => {
      const { name, namespace } = given.metadata;
      if (get(type, namespace, name)) throw alreadyExists(type, name);
      const object: KubeObject = {
        ...given,
        metadata: {
          ...given.metadata,
          uid: randomUUID(),
          resourceVersion: nextRevision(),
          generation: 1,
          creationTimestamp: timestamp(now()),
        },
      };
      table(type).set(object);
      notify({ type: 'ADDED', resource: type, object });
      return object;
    },
    update: (type, namespace, name, change) => {
      const previous = get(type, namespace, name);
      if (!previous) return undefined;
      const next = change(previous);
      if (next === previous || isDeepStrictEqual(next, previous)) return previous;
      if (isFinished(next)) return remove(type, previous, next);
      return replace(type, previous, next);
    },
    delete: (type, namespace, name, options = {}) => {
      const previous = get(type, namespace, name);
      if (!previous) return undefined;
      checkPreconditions(type, previous, options);
      const grace = graceOf(type, previous, options.gracePeriodSeconds);
      const { metadata } = previous;
      if (grace === 0 && finalizersOf(previous).length === 0) return remove(type, previous, previous);
      const remaining = metadata.deletionGracePeriodSeconds;
      // A later delete may only shorten what an earlier one granted.
      if (metadata.deletionTimestamp !== undefined && remaining !== undefined && remaining <= grace)
        return previous;
      return replace(type, previous, {
        ...previous,
        metadata: {
          ...metadata,
          deletionTimestamp: timestamp(new Date(now().getTime() + grace * 1000)),
          deletionGracePeriodSeconds: grace,
        },
      });
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The API's time format: RFC 3339 in whole seconds. */
export function timestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** What no write may change. */
function identityOf(object: KubeObject): Partial<KubeObject['metadata']> {
  const { uid, creationTimestamp } = object.metadata;
  return { ...(uid ? { uid } : {}), ...(creationTimestamp ? { creationTimestamp } : {}) };
}

/** A namespace is also held by `spec.finalizers`, until its content is gone. */
function finalizersOf({ kind, metadata, spec }: KubeObject): unknown[] {
  const held =
    kind === 'Namespace' ? (spec as { finalizers?: unknown[] } | undefined)?.finalizers : undefined;
  return [...(metadata.finalizers ?? []), ...(held ?? [])];
}

function isFinished(object: KubeObject): boolean {
  return (
    object.metadata.deletionTimestamp !== undefined &&
    finalizersOf(object).length === 0 &&
    (object.metadata.deletionGracePeriodSeconds ?? 0) === 0
  );
}

function checkPreconditions(
  type: ResourceType,
  object: KubeObject,
  wanted: { uid?: string; resourceVersion?: string },
): void {
  const { name, uid, resourceVersion } = object.metadata;
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`;
    throw conflict(type, name, why);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    const versions = `${wanted.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`;
    throw conflict(type, name, `Precondition failed: ResourceVersion in precondition: ${versions}`);
  }
}

/** Only a pod that a node has taken on and that has not finished needs time to stop. */
function graceOf(type: ResourceType, object: KubeObject, asked: number | undefined): number {
  if (type.group !== '' || type.plural !== 'pods') return 0;
  const spec = object['spec'] as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
  const phase = (object['status'] as { phase?: string } | undefined)?.phase;
  if (!spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  return asked ?? spec.terminationGracePeriodSeconds ?? defaultGracePeriodSeconds;
}
