import type { Readable } from 'node:stream';
import { type Dispatcher, request as send } from 'undici';
import { QuorateError } from '../errors/catalogue.ts';
import type { AccessSource } from './access.ts';
import { failureOf, unreachable } from './failure.ts';

/** One request to the API. */
export interface Asked {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean>;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal | undefined;
}

/** Sends requests to one kube. */
export interface Requests {
  /** Sends and reads one request; whatever the API answers is returned, no answer throws KUBE_UNREACHABLE. */
  ask(asked: Asked): Promise<{ status: number; body: unknown; said: string }>;
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
  return {
    ask(asked) {
      return answered(asked, () =>
        within(timeoutMs, asked.signal, async (signal) => {
          const reply = await dispatch(source, options, asked, signal);
          const text = await reply.body.text();
          return { status: reply.statusCode, body: parse(text, reply.statusCode), said: nameOf(asked) };
        }),
      );
    },
    stream(asked) {
      return answered(asked, () =>
        within(timeoutMs, asked.signal, async (signal) => {
          const reply = await dispatch(source, options, asked, signal);
          if (reply.statusCode < 300) return reply.body;
          throw failureOf(reply.statusCode, parse(await reply.body.text(), reply.statusCode), nameOf(asked));
        }),
      );
    },
    close: () => source.close(),
  };
}

const nameOf = (asked: Asked): string => `${asked.method} ${asked.path}`;

/**
 * Runs a request under a time limit. The timer goes with the request: thousands that wait out their time, as those of
 * `AbortSignal.timeout` do, keep what belongs to them in memory until it is old and expensive to collect.
 */
async function within<Result>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const tooLate = setTimeout(() => limit.abort(new Error(`no reply in ${timeoutMs} ms`)), timeoutMs);
  try {
    return await run(signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]));
  } finally {
    clearTimeout(tooLate);
  }
}

/** Sends once, and once more with credentials read anew where the API did not accept them. */
async function dispatch(
  source: AccessSource,
  { userAgent, turn }: RequestsOptions,
  asked: Asked,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const attempt = async () => {
    await turn?.(signal);
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
    return unlessAborted(sent, signal);
  };
  const reply = await attempt();
  if (reply.statusCode !== 401) return reply;
  await reply.body.dump();
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
