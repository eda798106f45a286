import type { Readable } from 'node:stream';
import { QuorateError } from '../errors/catalogue.ts';
import { openAccess } from './access.ts';
import { failureOf, isAbsent, type Reply, unreachable } from './failure.ts';
import type { Kube, Listed } from './kube.ts';
import { apiVersionOf, type KubeObject, type ObjectMeta, type ResourceType } from './object.ts';
import { type Labels, pathOf, selectorOf } from './path.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { type Asked, openRequests } from './request.ts';
import { createServedVersions } from './served.ts';

/** A kube whose changes can be watched, too. */
export interface WatchableKube extends Kube {
  /** How far lists go, and a watcher should; all namespaces where it is `undefined`. */
  readonly namespaces: readonly string[] | undefined;
  /**
   * The raw stream of one watch: lines of JSON. Throws as the other verbs do (KUBE_GONE where the history
   * from `resourceVersion` on is no longer kept).
   */
  openWatch(
    type: ResourceType,
    options: {
      /** Of all namespaces without it. */
      namespace?: string;
      labels?: Labels;
      resourceVersion: string;
      /** The server ends the watch after so long. */
      timeoutSeconds: number;
      signal: AbortSignal;
    },
  ): Promise<Readable>;
  /** Whether the API takes our credentials right now; throws KUBE_UNREACHABLE where it does not answer. */
  answers(signal?: AbortSignal): Promise<boolean>;
}

export interface ConnectOptions {
  id: string;
  /** Without it, as kubectl: `KUBECONFIG`, `~/.kube/config`, the pod's own service account. */
  kubeconfigPath?: string;
  /** The text of a kubeconfig in place of a file. */
  kubeconfig?: string;
  /** Lists and watches go no further than these namespaces; all namespaces without them. */
  namespaces?: readonly string[] | undefined;
  /** How long one request may take, in milliseconds. */
  timeoutMs?: number;
  /** The most requests that are sent, over all verbs; without it, each is sent at once. */
  rateLimit?: RateLimit;
  /** Every write is only tried: the API checks, completes and answers it, and changes nothing. */
  dryRun?: true;
}

const fieldManager = 'quorate';
const pageSize = 500;
const mergePatch = 'application/merge-patch+json';
const applyPatch = 'application/apply-patch+yaml';

type At = [namespace?: string | undefined, name?: string, subresource?: 'status'];

/** A request about objects of a kind: of a namespace, or one of them, or its subresource. */
type Asking = Omit<Asked, 'path'> & { at?: At };

/**
 * Connects to a Kubernetes API. Nothing is sent before the first verb; CONFIG_INVALID where there is no usable
 * kubeconfig. Where the caller's signal is aborted, a verb throws the signal's reason.
 */
export function connectKube(options: ConnectOptions): WatchableKube {
  const { id, kubeconfigPath, kubeconfig, namespaces, timeoutMs = 10_000, rateLimit } = options;
  const access = openAccess({ path: kubeconfigPath, text: kubeconfig });
  const turn = rateLimit && createRateLimit(rateLimit);
  const requests = openRequests(access, { userAgent: fieldManager, timeoutMs, turn });
  const trying = options.dryRun ? { dryRun: 'All' } : {};
  const writing = { fieldManager, ...trying };
  const served = createServedVersions(requests);

  /** Asks in the version that the API serves. */
  async function ask(type: ResourceType, { at = [], ...asked }: Asking) {
    const path = pathOf(await served(type, asked.signal), ...at);
    return requests.ask({ ...asked, path });
  }
  async function object(type: ResourceType, asking: Asking): Promise<KubeObject> {
    return readObject(type, await ask(type, asking));
  }
  const sent = async (type: ResourceType, given: KubeObject, signal?: AbortSignal) => ({
    ...given,
    apiVersion: apiVersionOf(await served(type, signal)),
  });

  async function list(type: ResourceType, options: Parameters<Kube['list']>[1] = {}): Promise<Listed> {
    const { namespace } = options;
    if (namespace !== undefined || namespaces === undefined || !type.namespaced)
      return listOne(type, namespace, options);
    const lists = await Promise.all(namespaces.map((each) => listOne(type, each, options)));
    // What happened since the first of them was read may be in the others already, and may be told again.
    return { items: lists.flatMap(({ items }) => items), resourceVersion: lists[0]?.resourceVersion ?? '' };
  }

  async function listOne(
    type: ResourceType,
    namespace: string | undefined,
    { labels, signal }: NonNullable<Parameters<Kube['list']>[1]>,
  ): Promise<Listed> {
    const items: KubeObject[] = [];
    const selector = labels === undefined ? {} : { labelSelector: selectorOf(labels) };
    let next: string | undefined;
    for (;;) {
      const query = { ...selector, limit: pageSize, ...(next ? { continue: next } : {}) };
      const page = await object(type, { method: 'GET', at: [namespace], query, signal });
      const { resourceVersion = '', continue: more } = page.metadata as {
        resourceVersion?: string;
        continue?: string;
      };
      // Items of a list come without their kind.
      const typed = { apiVersion: apiVersionOf(type), kind: type.kind };
      for (const item of (page['items'] ?? []) as KubeObject[]) items.push({ ...item, ...typed });
      if (!more) return { items, resourceVersion };
      next = more;
    }
  }

  /**
   * The patch of a status, held to the object that it means. The API server ignores a uid in it (it takes all
   * metadata but the resourceVersion from the stored object), so that is turned into the resourceVersion.
   */
  async function withVersion(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    patch: { metadata?: Partial<ObjectMeta> },
    signal?: AbortSignal,
  ): Promise<object> {
    const { uid, resourceVersion: known } = patch.metadata ?? {};
    // No two objects ever have the same resourceVersion.
    if (uid === undefined || known !== undefined) return patch;
    const present = await object(type, { method: 'GET', at: [namespace, name], signal });
    const { uid: presentUid, resourceVersion } = present.metadata;
    if (presentUid !== uid) {
      const detail = `${type.kind} ${namespace ?? ''}/${name} is another object: its uid is ${presentUid}, not ${uid}`;
      throw new QuorateError('KUBE_CONFLICT', detail);
    }
    return { ...patch, metadata: { resourceVersion, ...patch.metadata } };
  }

  const patched = (
    type: ResourceType,
    asking: Pick<Asking, 'at' | 'contentType' | 'body' | 'signal'>,
    query = {},
  ) => object(type, { method: 'PATCH', query: { ...writing, ...query }, ...asking });

  return {
    id,
    namespaces,
    async get(type, namespace, name, signal) {
      const reply = await ask(type, { method: 'GET', at: [namespace, name], signal });
      return isAbsent(reply, name) ? undefined : readObject(type, reply);
    },
    list,
    async create(type, created, signal) {
      const { namespace } = created.metadata;
      const body = await sent(type, created, signal);
      return object(type, { method: 'POST', at: [namespace], query: writing, body, signal });
    },
    async apply(type, applied, signal) {
      const { namespace, name } = applied.metadata;
      const body = await sent(type, applied, signal);
      return patched(type, { at: [namespace, name], contentType: applyPatch, body, signal }, { force: true });
    },
    patch(type, namespace, name, patch, signal) {
      return patched(type, { at: [namespace, name], contentType: mergePatch, body: patch, signal });
    },
    async patchStatus(type, namespace, name, patch, signal) {
      const body = await withVersion(type, namespace, name, patch, signal);
      return patched(type, { at: [namespace, name, 'status'], contentType: mergePatch, body, signal });
    },
    async delete(type, namespace, name, preconditions, signal) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions,
      };
      const asking: Asking = { method: 'DELETE', at: [namespace, name], query: trying, body, signal };
      const reply = await ask(type, asking);
      if (isAbsent(reply, name)) return 'gone';
      if (reply.status >= 300) throw failureOf(reply);
      return 'deleted';
    },
    async openWatch(type, { namespace, labels, resourceVersion, timeoutSeconds, signal }) {
      const query = {
        watch: true,
        allowWatchBookmarks: true,
        timeoutSeconds,
        resourceVersion,
        ...(labels === undefined ? {} : { labelSelector: selectorOf(labels) }),
      };
      const path = pathOf(await served(type, signal), namespace);
      return requests.stream({ method: 'GET', path, query, signal });
    },
    async answers(signal) {
      // Every account may read the version, whatever else it may.
      const { status } = await requests.ask({ method: 'GET', path: '/version', signal });
      return status === 200;
    },
    close: () => requests.close(),
  };
}

/** The object of a reply of success, in the type's own version; any other reply throws. */
function readObject(type: ResourceType, reply: Reply): KubeObject {
  if (reply.status >= 300) throw failureOf(reply);
  const object = reply.body as Partial<KubeObject> | null;
  if (typeof object?.metadata !== 'object')
    throw unreachable(reply.request, new Error('the reply is no object'));
  return { ...(object as KubeObject), apiVersion: apiVersionOf(type) };
}
