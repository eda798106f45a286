import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDecision } from '../../../libs/engine/decision.ts';
import { plain } from '../show/paint.ts';
import { detailLines, reportLines } from './lines.ts';
import { findAt, type Result, replayAll } from './results.ts';

function result(id: string, second: number, change: { sequence?: number; version?: number } = {}): Result {
  const { sequence = second, version = 3 } = change;
  const decision = readDecision({
    ...{
      format: 2,
      id,
      kube: 'local',
      key: 'etcd/default/a',
      engine: { name: 'etcd', version },
      worker: 'worker-1',
    },
    ...{ sequence, wokenBy: ['u/1/added'], traceId: 't', time: `2026-01-01T00:00:0${second}.000Z`, nowMs: 1 },
    ...{ spec: { size: 3 }, facts: { pods: ['a-1'] }, durationMs: { observe: 0, plan: 0, act: 0 } },
    plan: { reason: 'ScaleOut', message: '2 of 3 members', steps: [] },
    steps: [
      { step: 'addMember', why: 'member a-3: added', outcome: 'moved', detail: 'no quorum', durationMs: 1 },
    ],
  });
  return { decision, replayed: { outcome: 'equal' }, presentVersion: 3 };
}

test('a report tells what differs, where records are missing, who recorded, and how many there are of each', () => {
  const differences = [{ part: 'steps', recorded: 'addMember a-3', replayed: 'none' }];
  const results = [
    result('first-pass', 1),
    { ...result('second-pass', 2), replayed: { outcome: 'different' as const, differences } },
    result('fifth-pass', 5, { version: 2 }),
    { ...result('sixth-pass', 6, { version: 4 }), replayed: { outcome: 'undecided' as const } },
  ];
  const repeat = {
    format: 1 as const,
    kube: 'local',
    key: 'etcd/default/a',
    worker: 'worker-1',
    decision: 'x',
  };
  const repeats = [{ ...repeat, count: 7, firstTime: '', lastTime: '' }];
  assert.deepEqual(reportLines(results, repeats, plain), [
    '2026-01-01T00:00:02.000Z  second-p  ScaleOut              different',
    '    steps',
    '      recorded  addMember a-3',
    '      replayed  none',
    '2 records are missing: of worker-1 about etcd/default/a, between second-pass and fifth-pass (2026-01-01T00:00:05.000Z)',
    '1 recorded by engine etcd 2, replayed as that decided; it is 3 now',
    '1 recorded by engine etcd 4, which is newer than this code: replayed as 3 decides',
    '4 passes replayed: 2 equal, 1 different, 1 that ended before anything was decided; 7 more found the same as the pass before',
  ]);
});

test('one pass is found by its id, the beginning of it, or a time, and shown whole', () => {
  const results = [result('abc-1', 1), result('abd-2', 3)];
  const idAt = (at: string) => findAt(results, at)?.decision.id;
  assert.deepEqual(
    ['abc-1', 'abd', 'ab', '2026-01-01T00:00:02Z', '2026-01-01T00:00:03Z', '2025-01-01'].map(idAt),
    ['abc-1', 'abd-2', undefined, 'abc-1', 'abd-2', undefined],
  );
  assert.deepEqual(detailLines(result('abc-1', 1), plain, true).slice(1), [
    '  etcd/default/a, decision abc-1 by worker-1, engine etcd 3',
    '  woken by u/1/added',
    '  2 of 3 members',
    '  moved    member a-3: added (no quorum)',
    ...['  spec:', '    size: 3', '  facts:', '    pods:', '      - a-1'],
  ]);
});

test('a record of an engine that is not known here is refused', () => {
  const { decision } = result('abc-1', 1);
  const foreign = { ...decision, engine: { name: 'zookeeper', version: 1 } };
  assert.throws(() => replayAll([foreign]), /it needs the engine zookeeper/);
});
