import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSchema } from './validation.ts';

const validate = compileSchema({
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['version'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 7 },
        version: { type: 'string', pattern: '^[0-9.]+$', maxLength: 5 },
        mode: { type: 'string', enum: ['a', 'b'] },
        limit: { 'x-kubernetes-int-or-string': true },
        note: { type: 'string', nullable: true },
        pods: { type: 'array', maxItems: 1, items: { type: 'object', required: ['name'] } },
      },
    },
  },
});

const said = (spec: unknown): string[] =>
  validate({ spec }).map((cause) => `${cause.field}: ${cause.message}`);

// Each message is what a real API server answered to the same object.
const cases: [spec: object, messages: string[]][] = [
  [{ version: '1', size: 3, limit: '50%', note: null }, []],
  [{ size: 3 }, ['spec.version: Required value']],
  [
    { version: '1', size: 0 },
    ['spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1'],
  ],
  [
    { version: '1', size: 8 },
    ['spec.size: Invalid value: 8: spec.size in body should be less than or equal to 7'],
  ],
  [
    { version: '1', size: 'three' },
    ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  ],
  [{ version: 'x' }, [`spec.version: Invalid value: "x": spec.version in body should match '^[0-9.]+$'`]],
  [{ version: '1', mode: 'c' }, ['spec.mode: Unsupported value: "c": supported values: "a", "b"']],
  [{ version: '1.2.3.4' }, ['spec.version: Too long: may not be more than 5 bytes']],
  [{ version: '1', pods: [{}] }, ['spec.pods[0].name: Required value']],
];

for (const [spec, messages] of cases) {
  test(`${JSON.stringify(spec)} → ${messages.join('; ') || 'valid'}`, () => {
    assert.deepEqual(said(spec), messages);
  });
}
