import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { crdOf } from './crd.ts';
import type { ResourceDefinition } from './definition.ts';
import { structuralSchemaOf } from './schema.ts';

const field = (type: z.ZodType) => structuralSchemaOf(z.object({ field: type })).properties?.['field'];

describe('a structural schema from zod', () => {
  test('keeps descriptions, defaults, bounds and formats; what has a default is not required', () => {
    const schema = structuralSchemaOf(
      z.object({ size: z.int().min(1).max(7).default(3).describe('How many.'), name: z.string() }),
    );
    assert.deepEqual(schema, {
      type: 'object',
      required: ['name'],
      properties: {
        size: {
          type: 'integer',
          format: 'int32',
          minimum: 1,
          maximum: 7,
          default: 3,
          description: 'How many.',
        },
        name: { type: 'string' },
      },
    });
  });

  test('an integer without bounds has 64 bits', () => {
    assert.deepEqual(field(z.int()), { type: 'integer', format: 'int64' });
  });

  test('anything at all is kept as it is', () => {
    const anything = { 'x-kubernetes-preserve-unknown-fields': true };
    assert.deepEqual(field(z.unknown()), anything);
    assert.deepEqual(field(z.record(z.string(), z.unknown())), {
      type: 'object',
      additionalProperties: anything,
    });
    assert.deepEqual(field(z.looseObject({ a: z.string() })), {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      ...anything,
    });
  });

  test('a strict object leaves it to the API server to prune or refuse', () => {
    assert.equal('additionalProperties' in (field(z.strictObject({ a: z.string() })) ?? {}), false);
  });

  test('an integer or a string', () => {
    assert.deepEqual(field(z.union([z.int(), z.string()]).describe('A port.')), {
      'x-kubernetes-int-or-string': true,
      description: 'A port.',
    });
  });

  test('a union of objects declares all fields outside and keeps what tells them apart inside', () => {
    const union = z.discriminatedUnion('type', [
      z.object({ type: z.literal('file'), path: z.string().describe('Where.') }),
      z.object({ type: z.literal('none') }),
    ]);
    assert.deepEqual(field(union), {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['file', 'none'] },
        path: { type: 'string', description: 'Where.' },
      },
      required: ['type'],
      oneOf: [
        { properties: { type: { enum: ['file'] } }, required: ['type', 'path'] },
        { properties: { type: { enum: ['none'] } }, required: ['type'] },
      ],
    });
  });

  test('patterns that Go cannot read, and those that a format says already, are dropped', () => {
    assert.deepEqual(field(z.string().regex(/^(?!x)a+$/)), { type: 'string' });
    assert.deepEqual(field(z.string().regex(/^[a-z]+$/)), { type: 'string', pattern: '^[a-z]+$' });
    assert.deepEqual(field(z.iso.datetime()), { type: 'string', format: 'date-time' });
  });

  test('extensions for Kubernetes pass through', () => {
    const list = z.array(z.object({ type: z.string() })).meta({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    });
    assert.equal(field(list)?.['x-kubernetes-list-type'], 'map');
  });

  test('what a CustomResourceDefinition cannot say is an error that names the field', () => {
    const tuple = z.object({ list: z.array(z.object({ pair: z.tuple([z.string(), z.int()]) })) });
    assert.throws(() => structuralSchemaOf(tuple), /a tuple.*pair/);
    assert.throws(
      () => field(z.union([z.string(), z.object({ a: z.string() })])),
      /string and object.*\.field/,
    );
  });
});

test('the CustomResourceDefinition has a status subresource, the columns and the names', () => {
  const definition: ResourceDefinition = {
    group: 'example.quorate.io',
    version: 'v1',
    kind: 'Example',
    plural: 'examples',
    singular: 'example',
    shortNames: ['ex'],
    description: 'An example.',
    spec: z.object({ size: z.int().default(3) }).describe('What is wanted.'),
    status: z.object({ size: z.int().optional() }).describe('What is.'),
    printerColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'Members.' }],
  };
  const crd = crdOf(definition);
  assert.equal(crd.metadata.name, 'examples.example.quorate.io');
  const spec = crd['spec'] as {
    names: object;
    versions: { subresources: object; additionalPrinterColumns: object }[];
  };
  assert.deepEqual(spec.names, {
    kind: 'Example',
    listKind: 'ExampleList',
    plural: 'examples',
    singular: 'example',
    shortNames: ['ex'],
  });
  assert.deepEqual(spec.versions[0]?.subresources, { status: {} });
  assert.deepEqual(spec.versions[0]?.additionalPrinterColumns, definition.printerColumns);
  assert.equal(JSON.stringify(crdOf(definition)), JSON.stringify(crd));
});
