import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expand } from './expand.ts';

test('references are replaced, unknown ones stay, $$ escapes', () => {
  const variables = { A: '1', B_2: '$(A)' };
  assert.equal(expand('$(A)-$(B_2)-$(C)', variables), '1-$(A)-$(C)');
  assert.equal(expand('$$(A) $$$(A) $ $A', variables), '$(A) $1 $ $A');
  assert.equal(expand('$(toString)', variables), '$(toString)', 'what every object inherits is no variable');
});

test('text without a dollar sign stays as it is', () => {
  const plain = fc.string().filter((text) => !text.includes('$'));
  fc.assert(fc.property(plain, (text) => expand(text, { A: '1' }) === text));
});

test('what an escaped text says is the text', () => {
  fc.assert(fc.property(fc.string(), (text) => expand(text.replaceAll('$', '$$$$'), { A: '1' }) === text));
});
