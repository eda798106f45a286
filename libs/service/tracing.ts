import { randomBytes } from 'node:crypto';
import { describeError } from '../errors/catalogue.ts';
import { formatTraceparent, readTraceparent, type TraceContext } from './traceparent.ts';

/**
 * Follows work from process to process: spans, as OpenTelemetry has them, and the W3C trace context
 * (https://www.w3.org/TR/trace-context/) by which one process hands them on to the next. What is put into a span
 * leaves the cluster: names, codes and numbers, never the content of an object.
 */
export interface Tracing {
  start(name: string, options?: SpanOptions): Span;
  /** Sends what is left, for no longer than two seconds. */
  close(): Promise<void>;
}

export interface SpanOptions {
  /** The `traceparent` of what this is a part of; without one, a trace begins. */
  parent?: string | undefined;
  /** The `traceparent` of others that led to this. */
  links?: string[];
  attributes?: SpanAttributes;
  /** In milliseconds since 1970; now by default. */
  startMs?: number;
}

export type SpanAttributes = Record<string, string | number | boolean>;

export interface Span {
  /** To hand on, as a `traceparent`, to what is a part of this. */
  readonly context: TraceContext;
  /** Ends it, now by default; with the code of the error that ended it, where one did. */
  end(options?: { endMs?: number; error?: string; attributes?: SpanAttributes }): void;
}

/** Keeps nothing. What belongs together still has one trace id, by which logs and records can be searched. */
export const noTracing: Tracing = {
  start(_name, { parent } = {}) {
    const traceId = readTraceparent(parent)?.traceId ?? randomBytes(16).toString('hex');
    const spanId = randomBytes(8).toString('hex');
    return { context: { traceId, spanId, sampled: false }, end() {} };
  },
  async close() {},
};

/** A span around work, which is told what to hand on; what the work throws ends it by its code. */
export async function traced<Result>(
  tracing: Tracing,
  name: string,
  options: SpanOptions,
  work: (traceparent: string) => Promise<Result>,
): Promise<Result> {
  const span = tracing.start(name, options);
  try {
    const result = await work(formatTraceparent(span.context));
    span.end();
    return result;
  } catch (error) {
    span.end({ error: describeError(error).code });
    throw error;
  }
}
