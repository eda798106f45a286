import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesBetween } from './changes.ts';

test('changes are told field by field', () => {
  const before = { size: 3, pod: { a: [1], b: 'x' }, paused: false };
  const after = { size: 5, pod: { a: [2], b: 'x' }, version: '2' };
  assert.deepEqual(changesBetween(before, after), [
    { field: 'spec.paused', before: false, after: undefined },
    { field: 'spec.pod.a', before: [1], after: [2] },
    { field: 'spec.size', before: 3, after: 5 },
    { field: 'spec.version', before: undefined, after: '2' },
  ]);
});
