import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { calm, engine, pass, says } from '../../libs/engine/testing/looked-at.ts';
import type { Ending } from '../../libs/queue/run.ts';
import { createLooks } from './look.ts';

const periodMs = 3_600_000;
const { signal } = new AbortController();
const state = { nowMs: 0, counted: [] as string[] };
const looks = createLooks({
  periodMs,
  count: (name, outcome) => state.counted.push(`${name} ${outcome}`),
  now: () => state.nowMs,
  random: () => 0,
});

/** The run that comes when the delay of this one is over. */
const later = ({ requeueAfterMs = 0, note }: Ending) => {
  state.nowMs += requeueAfterMs;
  // As Redis keeps it.
  return looks.look(
    engine,
    { key: 'k', wokenBy: [], failures: 0, note: JSON.parse(JSON.stringify(note)) },
    signal,
  );
};

const resting = () => looks.after(engine, pass({ members: calm }));

beforeEach(() => {
  state.nowMs = 0;
  state.counted = [];
  for (const [name, said] of Object.entries(calm)) says.set(`at ${name}`, said);
});

describe('looks', () => {
  test('follow a pass that found a cluster at rest, one after the other, until a pass is due', async () => {
    let ending: Ending = resting();
    let count = 0;
    for (;;) {
      assert.ok((ending.requeueAfterMs ?? 0) <= 10_000);
      const looked = await later(ending);
      if (looked === undefined) break;
      assert.ok(!('changed' in looked));
      ending = looked;
      count++;
    }
    assert.equal(state.nowMs, 0.75 * periodMs);
    assert.equal(count, state.nowMs / 10_000 - 1);
    assert.deepEqual([...new Set(state.counted)], ['test same']);
  });

  test('name what has changed, for a pass', async () => {
    says.set('at b', 'leads');
    assert.deepEqual(await later(resting()), { changed: ['b'] });
    assert.deepEqual(state.counted, ['test changed']);
  });

  test('give way to a pass where another version, or nobody known, has left the note', async () => {
    const ending = resting();
    const newer = { ...engine, version: engine.version + 1 };
    const task = { key: 'k', wokenBy: [], failures: 0, note: ending.note };
    assert.equal(await looks.look(newer, task, signal), undefined);
    assert.equal(await later({ ...ending, note: 'anything' }), undefined);
    const { note: _note, ...without } = ending;
    assert.equal(
      await looks.look(engine, { key: 'k', wokenBy: [], failures: 0, ...without }, signal),
      undefined,
    );
  });

  test('give way to a pass where the next one would be later than one may be', async () => {
    const { note } = resting();
    const task = { key: 'k', wokenBy: [], failures: 0, note };
    assert.notEqual(await looks.look(engine, task, signal), undefined);
    state.nowMs = -periodMs;
    assert.equal(await looks.look(engine, task, signal), undefined);
  });

  test('do not follow a pass after which something is due: that asks for another pass', () => {
    const decision = pass({ members: calm, dueAtMs: 60_000 });
    assert.deepEqual(looks.after(engine, decision), { requeueAfterMs: 10_000 });
  });

  test('are as often as a plan wants to be made again, where that is oftener', () => {
    const after = (everyMs: number) => looks.after(engine, pass({ members: calm, everyMs })).requeueAfterMs;
    assert.deepEqual([after(30_000), after(2000)], [10_000, 2000]);
  });
});
