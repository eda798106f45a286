import { isError, messageOf } from '../errors/catalogue.ts';
import { backoffMs, wait } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import { createOutage, type Outage } from '../service/outage.ts';
import type { WatchableKube } from './client.ts';
import { failureOf, unreachable } from './failure.ts';
import { readLines } from './lines.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from './object.ts';
import { type Labels, pathOf } from './path.ts';

/**
 * What a watch tells. `listing` comes before every (re)list: whatever the caller reads elsewhere now is older
 * than the list. `listed` is everything there is, from which the caller sees what vanished meanwhile.
 */
export type Change =
  | { type: 'listing' }
  | { type: 'listed'; items: KubeObject[] }
  | { type: 'added' | 'modified' | 'deleted'; object: KubeObject };

export interface WatchOptions {
  kube: WatchableKube;
  type: ResourceType;
  /** Of all namespaces without it. */
  namespace?: string;
  /** Only objects with all these labels. */
  labels?: Labels;
  log: Log;
  signal: AbortSignal;
  /**
   * A watch that says nothing for so long is given up, in milliseconds. The server is asked to end every watch
   * within a half to five sixths of this (and sends a bookmark before), so only a broken one stays silent.
   */
  silenceMs?: number;
  /** Where to tell that the API cannot be reached; for watches of one kube that share one outage. */
  outage?: Outage;
  random?: () => number;
}

const retry = { baseMs: 200, capMs: 10_000 };

/**
 * The API server sends a bookmark some 2 s before a watch's time is up. One that ends without a word in this
 * time may have been deaf, so what it did not tell is listed. (An API server that has seen no change of the kind
 * since its own start sends no bookmarks; such kinds are quiet and cheap to list.)
 */
const lastWordMs = 10_000;

/** A watch that stood for so long works: the outage, if there was one, is over. */
const settledMs = 1000;

/**
 * Follows all objects of a kind, for ever: lists, watches from there, and lists again after every error, after
 * a 410 (history no longer kept) and after silence, with growing delays. Changes of one object come in order;
 * the next one is read only when the caller asks for it. Ends, without an error, when the signal is aborted.
 */
export async function* watchObjects(options: WatchOptions): AsyncGenerator<Change, void> {
  const { kube, type, namespace, labels, log, signal, silenceMs = 36_000, random = Math.random } = options;
  const selector = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
  };
  const refusal = createOutage(log, `Kubernetes API (${type.plural})`, pathOf(type, namespace));
  const { outage = refusal } = options;
  let failures = 0;
  let version: string | undefined;
  while (!signal.aborted) {
    const end = new AbortController();
    let settled: NodeJS.Timeout | undefined;
    let delayMs = 0;
    try {
      if (version === undefined) {
        yield { type: 'listing' };
        const listed = await kube.list(type, { ...selector, signal });
        yield { type: 'listed', items: listed.items };
        version = listed.resourceVersion;
      }
      const stream = await kube.openWatch(type, {
        ...selector,
        resourceVersion: version,
        timeoutSeconds: Math.max(1, Math.round((silenceMs / 1000) * (1 / 2 + random() / 3))),
        signal: AbortSignal.any([signal, end.signal]),
      });
      const openedMs = performance.now();
      let heardMs = Number.NEGATIVE_INFINITY;
      settled = setTimeout(() => {
        failures = 0;
        outage.end();
        refusal.end();
      }, settledMs);
      for await (const event of eventsOf(stream, type, silenceMs, end)) {
        if (event.type !== 'bookmark') yield { type: event.type, object: event.object };
        version = event.object.metadata.resourceVersion;
        heardMs = performance.now();
      }
      const endedMs = performance.now();
      if (endedMs - openedMs < settledMs) throw unreachable(watchOf(type), new Error('ended at once'));
      if (endedMs - heardMs > lastWordMs) version = undefined;
    } catch (error) {
      if (signal.aborted) return;
      version = undefined;
      if (isError(error, 'KUBE_UNREACHABLE')) outage.begin(messageOf(error));
      // That history is dropped now and then is how the API works; only a 410 right after a list is not.
      else if (!isError(error, 'KUBE_GONE') || failures > 0) refusal.begin(messageOf(error));
      delayMs = backoffMs(failures++, retry, random);
    } finally {
      clearTimeout(settled);
      // Also when the caller asks for no more: the connection must not outlive the loop.
      end.abort();
    }
    // Only now: a watch that broke must not count as settled while the next one is waited for.
    if (delayMs > 0) await wait(delayMs, signal);
  }
}

interface WatchEvent {
  type: 'added' | 'modified' | 'deleted' | 'bookmark';
  object: KubeObject;
}

const eventTypes: Record<string, WatchEvent['type']> = {
  ADDED: 'added',
  MODIFIED: 'modified',
  DELETED: 'deleted',
  BOOKMARK: 'bookmark',
};

/** The events of a stream. Only the time in which we wait for the server counts as silence. */
async function* eventsOf(
  stream: AsyncIterable<Uint8Array>,
  type: ResourceType,
  silenceMs: number,
  end: AbortController,
): AsyncGenerator<WatchEvent, void> {
  const lines = readLines(stream);
  for (;;) {
    const silence = setTimeout(() => end.abort(), silenceMs);
    let next: IteratorResult<string, void>;
    try {
      next = await lines.next();
    } catch (error) {
      const cause = end.signal.aborted ? new Error(`silent for ${silenceMs} ms`) : error;
      throw unreachable(watchOf(type), cause);
    } finally {
      clearTimeout(silence);
    }
    if (next.done) return;
    yield readEvent(next.value, type);
  }
}

/** Reads one line of a watch; throws the error that an ERROR event stands for. */
function readEvent(line: string, type: ResourceType): WatchEvent {
  let event: { type?: unknown; object?: Partial<KubeObject> & { code?: unknown } };
  try {
    event = JSON.parse(line);
  } catch {
    // The parser's message quotes the line, which may be anything, a Secret's data too.
    throw unreachable(watchOf(type), new Error('a line that is no JSON'));
  }
  if (event.type === 'ERROR') {
    const status = Number(event.object?.code ?? 500);
    throw failureOf({ status, body: event.object, request: watchOf(type) });
  }
  const known = typeof event.type === 'string' ? eventTypes[event.type] : undefined;
  if (known === undefined || typeof event.object?.metadata?.resourceVersion !== 'string') {
    throw unreachable(watchOf(type), new Error('a line that is no watch event'));
  }
  // An older API server may serve the kind in an older version of the same shape.
  return { type: known, object: { ...(event.object as KubeObject), apiVersion: apiVersionOf(type) } };
}

const watchOf = (type: ResourceType): string => `WATCH ${pathOf(type)}`;
