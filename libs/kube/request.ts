import { addAbortSignal, type Readable } from 'node:stream';
import { type Dispatcher, request as send } from 'undici';
import { QuorateError } from '../errors/catalogue.ts';
import type { AccessSource } from './access.ts';
import { failureOf, type Reply, unreachable } from './failure.ts';
import { createPause, type Pause, retryAfterSecondsOf } from './pause.ts';

/** One request to the API. */
export interface Asked {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean>;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal | undefined;
}

/**
 * Sends requests to one kube. After a reply that says when to come back, nothing is sent until then: what is asked
 * meanwhile waits for up to half of its time limit, or throws KUBE_BUSY at once where that is too short.
 */
export interface Requests {
  /** Sends and reads one request; whatever the API answers is returned, no answer throws KUBE_UNREACHABLE. */
  ask(asked: Asked): Promise<Reply>;
  /** The body of a reply of success as it comes; its start has the time limit of a request, its length none. */
  stream(asked: Asked): Promise<Readable>;
  close(): Promise<void>;
}

export interface RequestsOptions {
  userAgent: string;
  /** Bounds each request, the wait for its turn too. */
  timeoutMs: number;
  /** Resolves when the next request may be sent; without it, each is sent at once. */
  turn?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

/** Where the caller's signal is aborted, its reason is thrown. */
export function openRequests(source: AccessSource, options: RequestsOptions): Requests {
  const { timeoutMs } = options;
  const pause = createPause();
  return {
    ask(asked) {
      return answered(asked, () =>
        within(timeoutMs, asked.signal, async (signal) =>
          readReply(asked, await dispatch(source, options, pause, asked, signal)),
        ),
      );
    },
    stream(asked) {
      return answered(asked, () =>
        within(timeoutMs, asked.signal, async (signal) => {
          const response = await dispatch(source, options, pause, asked, signal);
          const { statusCode, body } = response;
          if (statusCode < 300) return asked.signal ? addAbortSignal(asked.signal, body) : body;
          throw failureOf(await readReply(asked, response));
        }),
      );
    },
    close: () => source.close(),
  };
}

const nameOf = (asked: Asked): string => `${asked.method} ${asked.path}`;

async function readReply(asked: Asked, response: Dispatcher.ResponseData): Promise<Reply> {
  const { statusCode: status, headers } = response;
  const body = parse(await response.body.text(), status);
  return { status, body, request: nameOf(asked), retryAfterSeconds: retryAfterSecondsOf(status, headers) };
}

/**
 * Runs a request under a time limit. All of that ends with the request: what `AbortSignal.timeout` and `AbortSignal.any`
 * leave behind, a timer and weak references, keeps what belongs to thousands of requests in memory until it is old and
 * expensive to collect.
 */
async function within<Result>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const tooLate = setTimeout(() => limit.abort(new Error(`no reply in ${timeoutMs} ms`)), timeoutMs);
  const onAbort = () => limit.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await run(limit.signal);
  } finally {
    clearTimeout(tooLate);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Sends once, and once more with credentials read anew where the API did not accept them. */
async function dispatch(
  source: AccessSource,
  { userAgent, turn, timeoutMs }: RequestsOptions,
  pause: Pause,
  asked: Asked,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const attempt = async () => {
    await turn?.(signal);
    await pause.end(nameOf(asked), timeoutMs / 2, signal);
    signal.throwIfAborted();
    const { server, headers, dispatcher } = await unlessAborted(source.access(), signal);
    const sent = send(`${server}${asked.path}`, {
      dispatcher,
      method: asked.method,
      query: asked.query ?? {},
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': userAgent,
        ...(asked.body === undefined ? {} : { 'content-type': asked.contentType ?? 'application/json' }),
      },
      body: asked.body === undefined ? null : JSON.stringify(asked.body),
      signal,
      // The signal bounds the request; a watch has no bound on its length.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // A request that has no connection yet would end by its signal only when that is made.
    const response = await unlessAborted(sent, signal);
    const seconds = retryAfterSecondsOf(response.statusCode, response.headers);
    if (seconds !== undefined) pause.begin(seconds);
    return response;
  };
  const response = await attempt();
  if (response.statusCode !== 401) return response;
  await response.body.dump();
  source.reload();
  return attempt();
}

/** Runs a request and names what went wrong; an abort by the caller stays what it is. */
async function answered<Result>(asked: Asked, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    asked.signal?.throwIfAborted();
    throw error instanceof QuorateError ? error : unreachable(nameOf(asked), error);
  }
}

/** The reply as JSON. A reply of success that is none was cut short, which is no answer. */
function parse(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status < 300) throw error;
    return text;
  }
}

/** `promise`, or the signal's reason where that comes first. */
async function unlessAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
