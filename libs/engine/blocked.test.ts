import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockedLines, blockedText, readBlocked } from './blocked.ts';

const parts = {
  rule: 'a member is only removed while the rest keeps quorum',
  evidence: '2 of 3 voting members reach quorum; example-3: no answer (exit code 1. See its log.)',
  since: '2026-01-01T00:00:00Z',
  action: 'bring it back',
};

test('one line says the four parts, and so do four', () => {
  assert.equal(
    blockedText(parts),
    'Rule: a member is only removed while the rest keeps quorum. Evidence: 2 of 3 voting members reach quorum; example-3: no answer (exit code 1. See its log.). Since: 2026-01-01T00:00:00Z. What you can do: bring it back.',
  );
  assert.deepEqual(
    blockedLines(parts).map((line) => line.split(':')[0]),
    ['Rule', 'Evidence', 'Since', 'What you can do'],
  );
});

test('what was written is read again, whatever the evidence is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (evidence) => {
      assert.deepEqual(readBlocked(blockedText({ ...parts, evidence })), { ...parts, evidence });
    }),
    { seed: 1 },
  );
  assert.equal(readBlocked('nothing stands in the way'), undefined);
});

test('it fits into an event, because the evidence gives way', () => {
  const text = blockedText({ ...parts, evidence: 'x'.repeat(5000) });
  assert.equal(text.length, 1024);
  assert.match(text, /x…\. Since: .+ What you can do: bring it back\.$/);
});
