/** How a trace is handed on in one line of text: the W3C trace context (https://www.w3.org/TR/trace-context/). */

/** What a `traceparent` says. */
export interface TraceContext {
  /** 32 digits of hexadecimal. */
  traceId: string;
  /** 16 digits of hexadecimal. */
  spanId: string;
  /** Whether somebody keeps the trace. */
  sampled: boolean;
}

/** Reads a `traceparent`; what is none is as good as nothing. */
export function readTraceparent(text: string | undefined): TraceContext | undefined {
  const match = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? '');
  const [, traceId, spanId, flags = ''] = match ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
