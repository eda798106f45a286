import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, Plan, Step } from './contract.ts';
import { forecast } from './forecast.ts';

interface Facts {
  serving: number;
  at: number;
}

/** Facts that a step changes and time changes back, and what is planned for them. */
function engine(
  plan: (facts: Facts) => Partial<Plan>,
): Pick<Engine<null, Facts>, 'plan' | 'margin' | 'simulate'> {
  return {
    plan: (_spec, facts) => ({ reason: 'R', message: 'm', steps: [], status: undefined, ...plan(facts) }),
    margin: ({ serving }) => ({ serving, of: 3, needed: 2, away: [] }),
    simulate(_spec, facts, nowMs) {
      const world = { ...facts, nowMs };
      return {
        facts: () => ({ serving: world.serving, at: world.at }),
        nowMs: () => world.nowMs,
        act({ step }) {
          if (step === 'refuse') return 'moved';
          if (step === 'wait') return 'nothing';
          Object.assign(world, { serving: world.serving - 1, at: world.at + 1 });
          return 'done';
        },
        tick() {
          Object.assign(world, { serving: 3, nowMs: world.nowMs + 500 });
        },
      };
    },
  };
}

const step = (name: string): Step => ({ step: name, why: name, args: { name: 'a-1' } });
const start: Facts = { serving: 3, at: 0 };

test('steps that are done are told with their subject and the narrowest margin until the next one', () => {
  const found = forecast(
    engine(({ at }) => ({ steps: at < 2 ? [step('restart')] : [] })),
    null,
    start,
    7,
  );
  assert.deepEqual(
    found?.steps.map(({ pass, step: name, subject, margin }) => [pass, name, subject, margin?.serving]),
    [
      [1, 'restart', 'a-1', 2],
      [2, 'restart', 'a-1', 2],
    ],
  );
  assert.deepEqual([found?.end, found?.margin?.serving, found?.marginAtEnd?.serving], ['rests', 3, 3]);
  assert.equal(found?.simulatedMs, 500);
});

test('what finds nothing to do is no step, and what finds the world moved ends its pass', () => {
  const steps = [step('wait'), step('refuse'), step('restart')];
  const found = forecast(
    engine(() => ({ steps })),
    null,
    start,
    7,
  );
  assert.deepEqual([found?.steps, found?.end], [[], 'rests']);
});

test('a plan that is blocked at the end says so, and one that never rests is left unfinished', () => {
  const blocked = { rule: 'r', evidence: 'e', action: 'a' };
  const ends = (plan: Partial<Plan>) =>
    forecast(
      engine(() => plan),
      null,
      start,
      7,
    );
  assert.deepEqual([ends({ blocked })?.end, ends({ blocked })?.blocked], ['blocked', blocked]);
  assert.equal(ends({ steps: [step('restart')] })?.end, 'unfinished');
});

test('an engine that cannot simulate foresees nothing', () => {
  const { plan } = engine(() => ({}));
  assert.equal(forecast({ plan }, null, start, 7), undefined);
});
