import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuorateError } from '../errors/catalogue.ts';
import { type TraceSettings, traceEndpoint, traceSettings } from './trace-settings.ts';
import { formatTraceparent, readTraceparent } from './traceparent.ts';
import { noTracing, type Tracing, traced } from './tracing.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

test('a traceparent is read as the specification has it, and what is none is as good as nothing', () => {
  for (const sampled of [true, false]) {
    const context = { traceId, spanId, sampled };
    assert.deepEqual(readTraceparent(formatTraceparent(context)), context);
  }
  const wrong = [
    ...['', 'trace', `00-${traceId}-${spanId}`, `00-${traceId.toUpperCase()}-${spanId}-01`],
    ...[`00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${'0'.repeat(16)}-01`],
    `00-${traceId}-${spanId}-01-more`,
  ];
  for (const text of [undefined, ...wrong]) assert.equal(readTraceparent(text), undefined, text);
});

test('without tracing, what belongs together has one trace id that nobody keeps', () => {
  const parent = formatTraceparent({ traceId, spanId, sampled: true });
  const { context } = noTracing.start('a', { parent });
  assert.deepEqual([context.traceId, context.sampled], [traceId, false]);
  assert.notEqual(context.spanId, spanId);
  assert.notEqual(noTracing.start('a').context.traceId, noTracing.start('a').context.traceId);
  assert.notEqual(readTraceparent(formatTraceparent(noTracing.start('a').context)), undefined);
});

test('what work throws ends its span with the code alone', async () => {
  const ends: unknown[] = [];
  const tracing: Tracing = {
    ...noTracing,
    start: (name, options) => ({ ...noTracing.start(name, options), end: (how) => ends.push(how) }),
  };
  assert.equal(await traced(tracing, 'a', {}, async (traceparent) => traceparent.length), 55);
  const failure = new QuorateError('BUS_UNREACHABLE', 'a text');
  await assert.rejects(
    traced(tracing, 'a', {}, () => Promise.reject(failure)),
    failure,
  );
  assert.deepEqual(ends, [undefined, { error: 'BUS_UNREACHABLE' }]);
});

test('traces are sent only where somebody asked for them', () => {
  const endpoint = (given: Partial<TraceSettings>) => traceEndpoint(traceSettings.parse(given));
  const shared = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318' };
  const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces/v1/traces' };
  assert.equal(endpoint({}), undefined);
  assert.equal(endpoint(shared), 'http://all:4318');
  assert.equal(endpoint({ ...shared, ...own }), 'http://traces/v1/traces');
  assert.equal(endpoint({ ...shared, OTEL_TRACES_EXPORTER: 'none' }), undefined);
  assert.equal(endpoint({ OTEL_TRACES_EXPORTER: 'otlp' }), 'http://localhost:4318');
});
