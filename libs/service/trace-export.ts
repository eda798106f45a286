import { type Context, type Link, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { messageOf } from '../errors/catalogue.ts';
import { wait } from './backoff.ts';
import type { Outage } from './outage.ts';
import { readTraceparent } from './traceparent.ts';
import type { Tracing } from './tracing.ts';

/**
 * Spans on their way to a collector, by OpenTelemetry's own packages: this file alone knows them, and is loaded only
 * where traces are wanted. While the collector is away some thousand spans are kept and the rest is forgotten;
 * nobody waits for it.
 */

/** How long the last spans may take at the end of the process. */
const closeTimeoutMs = 2000;

export interface ExportOptions {
  /** The attributes by which a collector knows this process. */
  process: Record<string, string>;
  /** How many of the traces are kept, from 0 to 1. */
  share: number;
  outage: Outage;
}

/** The endpoint and what else there is to say of the export come from the environment, as OpenTelemetry has it. */
export function exportTraces({ process, share, outage }: ExportOptions): Tracing {
  const provider = new TracerProvider({
    // What the environment says of the process goes before what we know of it.
    resource: defaultResource()
      .merge(resourceFromAttributes(process))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: noticing(new OTLPTraceExporter(), outage) })],
  });
  const tracer = provider.getTracer('quorate');
  return {
    start(name, { parent, links = [], attributes = {}, startMs } = {}) {
      const options = {
        attributes,
        links: links.flatMap(linkTo),
        ...(startMs !== undefined && { startTime: startMs }),
      };
      const span = tracer.startSpan(name, options, contextOf(parent));
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        context: { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 },
        end({ endMs, error, attributes: more = {} } = {}) {
          span.setAttributes(more);
          if (error !== undefined) {
            span.setAttribute('error.type', error);
            span.setStatus({ code: SpanStatusCode.ERROR, message: error });
          }
          span.end(endMs);
        },
      };
    },
    async close() {
      // What could not be sent has been told of as an outage.
      const sent = provider.shutdown().catch((error) => outage.begin(messageOf(error)));
      await Promise.race([sent, wait(closeTimeoutMs)]);
    },
  };
}

function contextOf(traceparent: string | undefined): Context {
  const [parent] = linkTo(traceparent);
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent.context);
}

/** A link to the span of another process, where it can be read. */
function linkTo(traceparent: string | undefined): Link[] {
  const read = readTraceparent(traceparent);
  if (read === undefined) return [];
  const { traceId, spanId, sampled } = read;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return [{ context: { traceId, spanId, traceFlags, isRemote: true } }];
}

/** The exporter, whose failures are an outage of the collector, until it takes something again. */
function noticing(exporter: SpanExporter, outage: Outage): SpanExporter {
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        // 0 is success.
        if (result.code === 0) outage.end();
        else outage.begin(messageOf(result.error ?? 'it did not take the spans'));
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush && { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  };
}
