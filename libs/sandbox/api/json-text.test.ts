import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doubledFields } from './json-text.ts';

test('a field that stands twice in one object is named with its path', () => {
  assert.deepEqual(doubledFields('{"spec":{"size":1,"size":2}}'), ['spec.size']);
  assert.deepEqual(doubledFields('{"a":[{"b":1},{"b":1,"c":{},"b":2}],"a":1}'), ['a[1].b', 'a']);
  assert.deepEqual(doubledFields('{"a":1,"\\u0061":2}'), ['a']);
});

test('the same name in different objects, in texts and as a value is no double', () => {
  assert.deepEqual(doubledFields('{"a":{"a":"\\"a\\":1,\\"a\\":2"},"b":[{"a":1},{"a":2}],"c":"a"}'), []);
  assert.deepEqual(doubledFields('[]'), []);
});

test("what is nested too deep, or named as JavaScript's own field, is refused", () => {
  assert.throws(() => doubledFields(`${'['.repeat(501)}${']'.repeat(501)}`), /max depth/);
  assert.deepEqual(doubledFields(`${'['.repeat(500)}${']'.repeat(500)}`), []);
  assert.throws(() => doubledFields('{"x":{"__proto__":1}}'), /__proto__/);
});
