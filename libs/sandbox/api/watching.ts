import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../../kube/object.ts';
import { ApiStatus } from '../status.ts';
import type { StoreChange } from '../store.ts';
import type { ApiContext } from './context.ts';
import { isSameResource } from './history.ts';
import { selectorOf } from './listing.ts';
import type { ResourceRequest } from './request.ts';
import { encoderOf } from './tables.ts';
import { disturbed } from './watch-faults.ts';
import { storageType, versioned } from './write.ts';

const bookmarkIntervalMs = 10_000;
const defaultTimeoutMs = 30 * 60_000;
/** A client that reads nothing for so long is dropped: it can list again. */
const maxBufferedBytes = 32 * 1024 * 1024;

/** Serves a watch until its time is up or the client goes away. */
export function watchObjects(context: ApiContext, request: ResourceRequest, response: ServerResponse): void {
  const { resource, namespace, query } = request;
  const type = storageType(resource);
  const matches = selectorOf(request);
  const encode = encoderOf(request);
  const target = { verb: 'watch', resource: type.plural, namespace, name: request.name };

  let frozen = context.faults.frozen(target);
  // What was silent once has missed something, so it must never speak again.
  const isFrozen = (): boolean => {
    frozen ||= context.faults.frozen(target);
    return frozen;
  };
  const chooses = (object: KubeObject): boolean =>
    (namespace === undefined || object.metadata.namespace === namespace) && matches(object);
  const send = (event: string, object: object): void => {
    // Its time is up, and the client has not closed its side yet.
    if (response.writableEnded) return;
    if (response.writableLength > maxBufferedBytes) response.destroy();
    else response.write(`{"type":"${event}","object":${JSON.stringify(object)}}\n`);
  };
  const forward = (change: StoreChange): void => {
    const event = eventOf(change, chooses);
    if (event === undefined || isFrozen()) return;
    send(event, encode(versioned(change.object, resource)));
  };
  const bookmark = (annotations?: Record<string, string>): void => {
    if (isFrozen()) return;
    const resourceVersion = context.store.resourceVersion();
    const metadata = { resourceVersion, creationTimestamp: null, ...(annotations ? { annotations } : {}) };
    const { kind } = resource.type;
    const apiVersion = versioned({ apiVersion: '', kind, metadata: { name: '' } }, resource).apiVersion;
    send('BOOKMARK', encode({ apiVersion, kind, metadata } as unknown as KubeObject));
  };

  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
  response.flushHeaders();
  const since = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents') === 'true' || since === '' || since === '0';
  try {
    if (initial) {
      const objects = context.store.list(type, namespace).filter(chooses);
      for (const object of objects) send('ADDED', encode(versioned(object, resource)));
      if (query.get('sendInitialEvents') === 'true') bookmark({ 'k8s.io/initial-events-end': 'true' });
    } else for (const change of context.history.since(type, since)) forward(change);
  } catch (error) {
    if (!(error instanceof ApiStatus)) throw error;
    send('ERROR', error.body());
    response.end();
    return;
  }

  const told = disturbed(() => context.faults.ofWatch(target), forward);
  const unsubscribe = context.store.watch((change) => {
    if (isSameResource(change.resource, type)) told.tell(change);
  });
  const forget = context.faults.onEndWatch(target, () => response.end());
  const bookmarks =
    query.get('allowWatchBookmarks') === 'true' ? setInterval(bookmark, bookmarkIntervalMs) : undefined;
  const timeoutMs = Number(query.get('timeoutSeconds') ?? 0) * 1000 || defaultTimeoutMs;
  const timeout = setTimeout(() => {
    if (isFrozen()) return;
    if (bookmarks) bookmark();
    response.end();
  }, timeoutMs);
  response.on('close', () => {
    unsubscribe();
    told.close();
    forget();
    clearTimeout(timeout);
    clearInterval(bookmarks);
  });
}

/** What a change is to someone who sees only what is chosen: an object may come into sight, or leave it. */
function eventOf(
  change: StoreChange,
  chooses: (object: KubeObject) => boolean,
): StoreChange['type'] | undefined {
  const before = change.previous !== undefined && chooses(change.previous);
  if (change.type === 'DELETED') return before ? 'DELETED' : undefined;
  const after = chooses(change.object);
  if (before) return after ? 'MODIFIED' : 'DELETED';
  return after ? 'ADDED' : undefined;
}
