import { z } from 'zod';

const url = z
  .string()
  .refine(
    (text) => ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? ''),
    'use a URL that begins with http:// or https://',
  );

/** Where traces go: the variables that OpenTelemetry has for every language, as far as they are for us to read. */
export const traceSettings = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: url
    .optional()
    .describe(
      'URL of an OpenTelemetry collector that takes OTLP over HTTP as JSON, e.g. `http://collector:4318`. Traces are kept only where this or one of the next two is set.',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url
    .optional()
    .describe(
      'The same for traces alone, with its path, e.g. `https://collector.example/v1/traces`; goes before the other.',
    ),
  OTEL_TRACES_EXPORTER: z
    .enum(['otlp', 'none'])
    .optional()
    .describe(
      '`none`: no traces, whatever else is set. `otlp`: traces, without an endpoint to `http://localhost:4318`.',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .optional()
    .describe('Headers that the collector asks for, as `name=value` with commas between. Secret.'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('How many of the traces are kept, from 0 to 1. Each is kept by all services, or by none.'),
});

export type TraceSettings = z.infer<typeof traceSettings>;

/** Where traces are sent; `undefined` where none are wanted. */
export function traceEndpoint(settings: TraceSettings): string | undefined {
  const {
    OTEL_TRACES_EXPORTER: exporter,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own,
    OTEL_EXPORTER_OTLP_ENDPOINT: shared,
  } = settings;
  if (exporter === 'none') return undefined;
  return own ?? shared ?? (exporter === 'otlp' ? 'http://localhost:4318' : undefined);
}
