import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Foreseen } from '../foresee/foresee.ts';
import { forecastLines } from './forecast.ts';
import { plain } from './paint.ts';

const serve = (serving: number, of: number, away: string[] = []) => ({
  serving,
  of,
  needed: Math.floor(of / 2) + 1,
  away,
});

const foreseen: Foreseen = {
  key: 'etcd/default/a',
  edit: 'change',
  changes: [{ field: 'spec.size', before: 3, after: 2 }],
  notes: [],
  forecast: {
    margin: serve(3, 3),
    steps: [
      {
        ...{ pass: 1, reason: 'ScaleIn', step: 'removeMember', subject: 'a-3', disruptive: true },
        ...{ why: 'member a-3: too many', margin: serve(2, 2) },
      },
      {
        ...{ pass: 2, reason: 'NotListed', step: 'deletePod', subject: 'a-3', disruptive: false },
        ...{ why: 'pod a-3: not listed', margin: serve(1, 2, ['a-1']) },
      },
    ],
    end: 'rests',
    reason: 'Healthy',
    message: 'all well',
    status: undefined,
    marginAtEnd: serve(2, 2),
    simulatedMs: 1000,
  },
  blocked: undefined,
};

test('each step is told with what serves meanwhile, then the narrowest and the end', () => {
  assert.deepEqual(forecastLines(foreseen, plain), [
    'etcd/default/a: spec.size 3 → 2',
    'Now: 3 of 3 serve, 1 can be lost',
    '',
    '  1.  ScaleIn    2 of 2 serve, 0 can be lost          removeMember: member a-3: too many',
    '  2.  NotListed  1 of 2 serve, 1 too few (away: a-1)  deletePod: pod a-3: not listed',
    '',
    'Narrowest: 1 of 2 serve, 1 too few (away: a-1), from step 2 on',
    'At the end: Healthy: all well; 2 of 2 serve, 0 can be lost',
  ]);
});

test('a blocked edit says the rule, the evidence, since when, and what to do', () => {
  const blocked = { rule: 'r', evidence: 'e', since: 'from when it is applied', action: 'a' };
  const forecast = { ...foreseen.forecast, steps: [], end: 'blocked' as const, reason: 'VersionChange' };
  assert.deepEqual(forecastLines({ ...foreseen, forecast, blocked }, plain).slice(2), [
    'No step would be taken.',
    'Blocked: VersionChange: all well; 2 of 2 serve, 0 can be lost',
    '  Rule: r',
    '  Evidence: e',
    '  Since: from when it is applied',
    '  What you can do: a',
  ]);
});
