import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

/** A span as a collector gets it by OTLP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
export interface CollectedSpan {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startMs: number;
  endMs: number;
  attributes: Record<string, string>;
  links: { traceId: string }[];
  /** Of the error that ended it. */
  error?: string;
}

export interface Collector {
  readonly url: string;
  spans(): CollectedSpan[];
  /** All that came, as it came. */
  text(): string;
  /** The headers of the last request. */
  headers(): Record<string, unknown>;
}

interface Attribute {
  key: string;
  value: { stringValue?: string };
}

interface Exported {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: (Omit<CollectedSpan, 'attributes' | 'links'> & {
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes: Attribute[];
        links?: { traceId: string }[];
        status: { code?: number; message?: string };
      })[];
    }[];
  }[];
}

const textsOf = (attributes: Attribute[]): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? JSON.stringify(value)]));

/** Starts a collector that keeps what it is sent; it ends with the test. */
export async function startCollector(t: TestContext, host = '127.0.0.1', port = 0): Promise<Collector> {
  const exported: Exported[] = [];
  let headers = {};
  const server = createServer(async (request, response) => {
    headers = request.headers;
    if (request.method !== 'POST' || request.url !== '/v1/traces') {
      response.writeHead(404).end();
      return;
    }
    exported.push((await json(request)) as Exported);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(port, host);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    text: () => JSON.stringify(exported),
    headers: () => headers,
    spans: () =>
      exported
        .flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ resource, scopeSpans }) =>
          scopeSpans
            .flatMap(({ spans }) => spans)
            .map(({ name, traceId, spanId, parentSpanId, ...span }) => ({
              service: textsOf(resource.attributes)['service.name'] ?? '',
              ...{ name, traceId, spanId },
              ...(parentSpanId && { parentSpanId }),
              startMs: Number(span.startTimeUnixNano) / 1e6,
              endMs: Number(span.endTimeUnixNano) / 1e6,
              attributes: textsOf(span.attributes),
              links: span.links ?? [],
              // 2 is an error.
              ...(span.status.code === 2 && { error: span.status.message ?? '' }),
            })),
        ),
  };
}
