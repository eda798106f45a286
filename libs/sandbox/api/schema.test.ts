import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelSchema } from './models.ts';
import { applyDefaults, decode, prune, pruneNulls, type Schema } from './schema.ts';

const schema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      default: {},
      properties: {
        size: { type: 'integer', default: 3 },
        pods: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        raw: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: {} },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        percent: { 'x-kubernetes-int-or-string': true },
      },
    },
  },
};

test('fields that the schema does not know are removed and named', () => {
  const unknown: string[] = [];
  const value = {
    spec: {
      foo: 1,
      pods: [{ name: 'a' }, { name: 'b', bar: 2 }],
      free: { any: { thing: 1 } },
      raw: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, other: 1 },
      labels: { a: 'b' },
      percent: '50%',
    },
  };
  assert.deepEqual(prune(value, schema, unknown), {
    spec: {
      pods: [{ name: 'a' }, { name: 'b' }],
      free: { any: { thing: 1 } },
      raw: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } },
      labels: { a: 'b' },
      percent: '50%',
    },
  });
  assert.deepEqual(unknown, ['spec.foo', 'spec.pods[1].bar', 'spec.raw.other']);
});

test('a null is as good as nothing, but in a list and where anything may stand', () => {
  const given = {
    spec: { size: null, labels: { a: null, b: 'c' }, pods: [null, { name: null }], free: { x: null } },
  };
  assert.deepEqual(pruneNulls(given, schema), {
    spec: { labels: { b: 'c' }, pods: [null, {}], free: { x: null } },
  });
  const nullable: Schema = { type: 'object', properties: { a: { type: 'string', nullable: true } } };
  assert.deepEqual(pruneNulls({ a: null }, nullable), { a: null });
});

test('a field named as what every object has by itself is as unknown as any other', () => {
  const unknown: string[] = [];
  assert.deepEqual(prune({ spec: { constructor: 1, toString: 'x' } }, schema, unknown), { spec: {} });
  assert.deepEqual(unknown, ['spec.constructor', 'spec.toString']);
});

test('defaults are filled in, also within defaults', () => {
  assert.deepEqual(applyDefaults({}, schema), { spec: { size: 3 } });
  assert.deepEqual(applyDefaults({ spec: { size: 5 } }, schema), { spec: { size: 5 } });
});

test('built-in types are known by field and type', () => {
  const pod = modelSchema('V1Pod');
  const unknown: string[] = [];
  prune({ spec: { containers: [{ name: 'a', imagee: 'b' }] } }, pod, unknown);
  assert.deepEqual(unknown, ['spec.containers[0].imagee']);
  const number = { spec: { containers: [{ name: 5 }] } };
  assert.throws(
    () => decode(number, pod, 'Pod'),
    /number into field spec.containers\[0\].name of type string/,
  );
  const quantity = { spec: { containers: [{ resources: { limits: { cpu: 1 } } }], nodeName: null } };
  const limited = { spec: { containers: [{ resources: { limits: { cpu: '1' } } }] } };
  assert.deepEqual(decode(quantity, pod, 'Pod'), limited);
  const fast = { spec: { containers: [{ resources: { limits: { cpu: 'fast' } } }] } };
  assert.throws(() => decode(fast, pod, 'Pod'), /quantities must match/);
});
