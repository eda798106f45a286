import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTooDeep, whyUnfit } from './fit.ts';

const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);

test('what an honest spec has is fit', () => {
  assert.equal(
    whyUnfit({ size: 3, pod: { affinity: nested(50), labels: { a: 'b'.repeat(20_000) } } }),
    undefined,
  );
  assert.equal(whyUnfit(undefined), undefined);
});

test('a spec that is too deep or too long is told by the field', () => {
  for (const levels of [101, 9000, 100_000])
    assert.match(
      whyUnfit({ size: 3, pod: { affinity: nested(levels) } }) ?? '',
      /^spec\.pod\.affinity is nested deeper/,
    );
  const long = { size: 3, pod: { labels: { a: 'x'.repeat(70_000), b: 'y' }, annotations: { c: 'z' } } };
  assert.match(whyUnfit(long) ?? '', /^spec\.pod\.labels makes the spec 700\d\d bytes long/);
});

test('depth is counted through lists, too', () => {
  assert.equal(isTooDeep([[[1]]], 3), false);
  assert.equal(isTooDeep([[[[1]]]], 3), true);
});
