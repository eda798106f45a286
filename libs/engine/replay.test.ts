import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Plan } from './contract.ts';
import { decide, type Planner } from './decide.ts';
import { type Decision, readDecision } from './decision.ts';
import { holesIn } from './holes.ts';
import { replay } from './replay.ts';

/** Wants a number of pods; from version 2 on it says how many there are. */
const planner: Planner = {
  name: 'counter',
  version: 2,
  resource: {
    ...{ group: 'test.quorate.io', version: 'v1', kind: 'Counter', plural: 'counters', singular: 'counter' },
    ...{ shortNames: [], description: 'Wants pods.', status: z.object({}), printerColumns: [] },
    spec: z.object({ count: z.number(), kind: z.string().default('plain') }),
  },
  plan(spec, facts, nowMs, asVersion = 2): Plan {
    if (spec === undefined) return { reason: 'Deleted', message: '', steps: [], status: undefined };
    const { count } = spec as { count: number };
    const { pods } = facts as { pods: string[] };
    if (count > 8) throw new Error(`${count} are too many`);
    const missing = Array.from({ length: count }, (_, index) => `p${index}`).filter(
      (name) => !pods.includes(name),
    );
    return {
      reason: missing.length > 0 ? 'Missing' : 'Healthy',
      message: asVersion >= 2 ? `${missing.length} missing at ${nowMs}` : 'some missing',
      steps: missing.map((name) => ({ step: 'make', why: 'it is missing', args: { name, note: undefined } })),
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'R', message: 'M' }], size: count },
    };
  },
};

function recorded(
  change: {
    engine?: Decision['engine'];
    resource?: Decision['resource'] | undefined;
    specGiven?: unknown;
  } = {},
): Decision {
  const { specGiven = { count: 2 }, ...rest } = change;
  const base = {
    ...{
      format: 2,
      id: 'p',
      kube: 'local',
      key: 'counter/default/one',
      worker: 'w',
      wokenBy: [],
      traceId: 't',
    },
    ...{ engine: { name: 'counter', version: 2 }, time: '2026-01-01T00:00:00.000Z', nowMs: 7, steps: [] },
    ...{ resource: { uid: 'u', generation: 1, resourceVersion: '1' }, facts: { pods: ['p0'] } },
    durationMs: { observe: 0, plan: 0, act: 0 },
    ...rest,
  };
  const given = { facts: base.facts, nowMs: 7, version: base.engine.version };
  const deleting = base.resource !== undefined && 'deleting' in base.resource;
  const { spec, plan } = decide(planner, { spec: base.resource && specGiven, deleting, ...given });
  return readDecision(JSON.parse(JSON.stringify({ ...base, spec: spec ?? null, plan })));
}

test('a record replays as it was: planned, refused, deleting, gone, and by an older version of the engine', () => {
  const resource = { uid: 'u', generation: 1, resourceVersion: '1', deleting: true as const };
  const records = [
    recorded(),
    recorded({ specGiven: { count: 'three' } }),
    recorded({ specGiven: { count: 'three' }, resource }),
    recorded({ resource: undefined }),
    recorded({ engine: { name: 'counter', version: 1 } }),
  ];
  const reasons = records.map((record) => record.plan?.reason);
  assert.deepEqual(reasons, ['Missing', 'InvalidSpec', 'Deleted', 'Deleted', 'Missing']);
  for (const record of records) assert.deepEqual(replay(planner, record), { outcome: 'equal' });
});

test('an engine that decides differently is shown by what differs, and by nothing else', () => {
  const changed: Planner = {
    ...planner,
    plan(...given) {
      const plan = planner.plan(...given);
      const [condition] = plan.status?.conditions ?? [];
      if (!condition) return plan;
      const status = { conditions: [{ ...condition, status: 'False' as const }], size: 2 };
      return { ...plan, reason: 'Short', steps: [...plan.steps].reverse().slice(0, 1), status };
    },
  };
  assert.deepEqual(replay(changed, recorded({ specGiven: { count: 3 } })), {
    outcome: 'different',
    differences: [
      { part: 'situation', recorded: 'Missing', replayed: 'Short' },
      { part: 'steps', recorded: 'make p1, make p2', replayed: 'make p2' },
      { part: 'status.conditions.Available.status', recorded: 'True', replayed: 'False' },
      { part: 'status.size', recorded: '3', replayed: '2' },
    ],
  });
  const other = {
    ...planner,
    plan: (...[spec, facts, nowMs]: Parameters<Planner['plan']>) => planner.plan(spec, facts, nowMs + 1),
  };
  assert.deepEqual(replay(other, recorded()), {
    outcome: 'different',
    differences: [{ part: 'message', recorded: '1 missing at 7', replayed: '1 missing at 8' }],
  });
});

test('a plan that failed fails again, one that fails now is a difference, and without facts there is nothing to say', () => {
  const error = { code: 'UNEXPECTED', message: '9 are too many', retryable: true };
  const { plan: _plan, ...unplanned } = recorded();
  const failed = { ...unplanned, spec: { count: 9 }, error };
  assert.deepEqual(replay(planner, failed), { outcome: 'equal' });
  const mended = replay(planner, { ...failed, spec: { count: 1 } });
  assert.ok(mended.outcome === 'different');
  assert.deepEqual(mended.differences, [
    { part: 'situation', recorded: 'no plan: 9 are too many', replayed: 'Healthy' },
  ]);
  const broken = replay(planner, { ...recorded(), spec: { count: 9 } });
  assert.ok(broken.outcome === 'different');
  assert.deepEqual(broken.differences, [
    { part: 'situation', recorded: 'Missing', replayed: 'no plan: 9 are too many' },
  ]);
  const lost = { ...error, code: 'TASK_LOST' };
  assert.deepEqual(replay(planner, { ...unplanned, error: lost }), { outcome: 'undecided' });
  assert.deepEqual(replay(planner, { ...unplanned, facts: null, error }), { outcome: 'undecided' });
});

test('a hole is where a number is missing in the line of a worker process', () => {
  const line = (worker: string, ...sequences: number[]) =>
    sequences.map((sequence) => ({ ...recorded(), worker, sequence, id: `${worker}${sequence}` }));
  assert.deepEqual(holesIn([...line('a', 4, 5), ...line('b', 1, 2), ...line('a', 6, 1, 2)]), []);
  const holes = holesIn([...line('a', 4, 7), ...line('b', 1), ...line('a', 2)]);
  assert.deepEqual(
    holes.map(({ worker, missing, after, before }) => [worker, missing, after, before]),
    [
      ['a', 2, 'a4', 'a7'],
      ['a', 1, undefined, 'a2'],
    ],
  );
  assert.deepEqual(holesIn([recorded(), recorded()]), [], 'records of format 1 are not numbered');
});
