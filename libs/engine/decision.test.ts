import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../errors/catalogue.ts';
import { decisionFormat, readDecision } from './decision.ts';

const formatOne = {
  format: 1,
  id: 'pass-1',
  kube: 'local',
  key: 'etcd/default/example',
  engine: { name: 'etcd', version: 1 },
  worker: 'worker-a',
  wokenBy: [],
  traceId: 't',
  time: '2026-01-01T00:00:00.000Z',
  spec: { size: 3 },
  facts: { pods: [] },
  nowMs: 1,
  steps: [],
  durationMs: { observe: 0, plan: 0, act: 0 },
};

test('a record of an old format reads as one of the present format, with all that it said', () => {
  assert.deepEqual(readDecision(formatOne), { ...formatOne, format: decisionFormat });
});

test('what is no record, or of a format to come, is refused by the name of what is wrong', () => {
  const wrong: [unknown, RegExp][] = [
    [null, /expected object/],
    [[], /format/],
    [{ ...formatOne, format: decisionFormat + 1 }, /format/],
    [
      { ...formatOne, steps: [{ step: 'createPod', why: '', outcome: 'maybe', durationMs: 1 }] },
      /steps\.0\.outcome/,
    ],
  ];
  for (const [record, named] of wrong) {
    assert.throws(
      () => readDecision(record),
      (error: Error) => isError(error, 'DECISION_UNREADABLE') && named.test(error.message),
      JSON.stringify(record),
    );
  }
});
