import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from '../../libs/engine/decision.ts';
import { type PassSpan, passSpans } from './spans.ts';

const startMs = Date.parse('2026-01-01T00:00:00.000Z');

const decision: Decision = {
  format: 2,
  id: 'd',
  kube: 'local',
  key: 'etcd/default/example',
  engine: { name: 'etcd', version: 1 },
  worker: 'w',
  wokenBy: [],
  traceId: '1'.repeat(32),
  time: new Date(startMs).toISOString(),
  spec: { size: 3 },
  facts: {},
  nowMs: startMs + 50,
  plan: { reason: 'Growing', message: 'one more', steps: [] },
  steps: [
    { step: 'addMember', why: '', outcome: 'done', durationMs: 30 },
    { step: 'createPod', why: '', outcome: 'failed', durationMs: 10 },
  ],
  durationMs: { observe: 50, plan: 5, act: 45 },
  error: { code: 'KUBE_BUSY', message: 'a text', retryable: true },
};

const times = (spans: PassSpan[]): unknown[] =>
  spans.map(({ name, startMs: from, endMs: to, error, parts }) => [
    name,
    from - startMs,
    to - startMs,
    ...(error === undefined ? [] : [error]),
    ...(parts.length === 0 ? [] : [times(parts)]),
  ]);

test('the parts of a pass follow each other, and its steps end with the last', () => {
  assert.deepEqual(times(passSpans(decision, startMs + 101)), [
    ['observe', 0, 50],
    ['plan', 50, 55],
    [
      'act',
      ...[55, 100, 'KUBE_BUSY'],
      [
        ['step addMember', 60, 90],
        ['step createPod', 90, 100, 'KUBE_BUSY'],
      ],
    ],
  ]);
});

test('the part that failed ends when the pass did, and there is none after it', () => {
  const none = { observe: 0, plan: 0, act: 0 };
  const { plan: _, ...undecided } = { ...decision, steps: [] };
  const unread = { ...undecided, facts: null, durationMs: none };
  assert.deepEqual(times(passSpans(unread, startMs + 70)), [['observe', 0, 70, 'KUBE_BUSY']]);
  const unplanned = { ...undecided, durationMs: { ...none, observe: 50 } };
  assert.deepEqual(times(passSpans(unplanned, startMs + 70)), [
    ['observe', 0, 50],
    ['plan', 50, 70, 'KUBE_BUSY'],
  ]);
});
