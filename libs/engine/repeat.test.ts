import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, readDecision } from './decision.ts';
import { createRecorder } from './repeat.ts';

let passes = 0;
function pass(change: Partial<Decision> = {}): Decision {
  passes++;
  return {
    ...readDecision({
      ...{
        format: 2,
        kube: 'local',
        key: 'etcd/default/a',
        engine: { name: 'etcd', version: 2 },
        worker: 'w',
      },
      ...{ wokenBy: ['resync/u/1'], traceId: 't', spec: {}, facts: { seen: 1 }, nowMs: passes, steps: [] },
      ...{ id: `pass-${passes}`, time: new Date(passes * 1000).toISOString() },
      durationMs: { observe: passes, plan: 0, act: 0 },
    }),
    ...change,
  };
}

test('a pass that finds the same again is a repeat, and one that finds, does or suffers anything is a record', () => {
  const recorder = createRecorder();
  const first = pass();
  assert.deepEqual(recorder.next(first), { decision: { ...first, sequence: 1 } });
  const second = pass();
  recorder.next(second);
  const third = pass({ wokenBy: [] });
  assert.deepEqual(recorder.next(third), {
    repeat: {
      ...{ format: 1, kube: 'local', key: 'etcd/default/a', worker: 'w', decision: first.id, count: 2 },
      ...{ firstTime: second.time, lastTime: third.time },
    },
  });
  const step = { step: 'x', why: '', outcome: 'nothing' as const, durationMs: 0 };
  const news: Partial<Decision>[] = [
    { facts: { seen: 2 } },
    { spec: { size: 1 }, facts: { seen: 2 } },
    { spec: { size: 1 }, facts: { seen: 2 }, steps: [step] },
    { spec: { size: 1 }, facts: { seen: 2 }, error: { code: 'X', message: '', retryable: true } },
    { spec: { size: 1 }, facts: { seen: 2 }, wokenBy: ['resync/u/1', 'u/2/modified'] },
  ];
  for (const [index, change] of news.entries()) {
    const next = recorder.next(pass(change));
    assert.equal('decision' in next && next.decision.sequence, index + 2, JSON.stringify(change));
  }
});

test('clusters are told apart, what is forgotten is recorded whole with the next number, and so is one pass a day', () => {
  const recorder = createRecorder();
  const other = { key: 'etcd/default/b' };
  const sequenceOf = (decision: Decision) => {
    const next = recorder.next(decision);
    return 'decision' in next ? next.decision.sequence : 'repeat';
  };
  assert.deepEqual([sequenceOf(pass()), sequenceOf(pass(other)), sequenceOf(pass())], [1, 1, 'repeat']);
  recorder.forget('etcd/default/a');
  assert.deepEqual(
    [sequenceOf(pass()), sequenceOf(pass(other)), sequenceOf(pass())],
    [2, 'repeat', 'repeat'],
  );
  recorder.forget();
  assert.deepEqual([sequenceOf(pass()), sequenceOf(pass(other))], [3, 2]);
  assert.equal(sequenceOf(pass({ time: '1970-01-02T12:00:00.000Z' })), 4);
});

test('only the clusters that had a pass last are remembered; another is recorded whole', () => {
  const recorder = createRecorder(2);
  const kindOf = (name: string) => Object.keys(recorder.next(pass({ key: `etcd/default/${name}` }))).join();
  assert.deepEqual(['a', 'b', 'a', 'c'].map(kindOf), ['decision', 'decision', 'repeat', 'decision']);
  assert.deepEqual(['a', 'b'].map(kindOf), ['repeat', 'decision'], 'a was touched after b');
});
