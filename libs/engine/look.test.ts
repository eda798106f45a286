import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { Engine, Plan } from './contract.ts';
import { type Decision, decisionFormat } from './decision.ts';
import { changedSince, sightOf } from './look.ts';

interface Facts {
  members: Record<string, string>;
  /** Something is due then. */
  dueAtMs?: number;
  /** There is something that only a pass can see. */
  hidden?: true;
}

/** What members say now, by address. */
const says = new Map<string, string>();

const engine: Engine = {
  ...{ name: 'test', version: 2, owned: [], steps: {}, observe: async () => ({}) },
  resource: {
    ...{ group: 'test.quorate.io', version: 'v1', kind: 'Test', plural: 'tests', singular: 'test' },
    ...{
      shortNames: [],
      description: 'A test.',
      spec: z.object({}),
      status: z.object({}),
      printerColumns: [],
    },
  },
  plan(_spec, facts, nowMs): Plan {
    const { dueAtMs = 0 } = facts as Facts;
    const reason = nowMs < dueAtMs ? 'Waiting' : 'Healthy';
    return { reason, message: reason, steps: [], status: undefined, requeueAfterMs: 10_000 };
  },
  look: {
    answers(facts) {
      const { members, hidden } = facts as Facts;
      const answers = Object.entries(members).map(([name, answer]) => [
        name,
        { address: `at ${name}`, answer },
      ]);
      return hidden ? undefined : Object.fromEntries(answers);
    },
    async ask(address) {
      const said = says.get(address);
      if (said === undefined) throw new Error('no answer');
      return said;
    },
  },
};

const calm = { a: 'leads', b: 'follows' };

function pass(facts: Facts, change: Partial<Decision> = {}): Decision {
  const given = { spec: {}, facts, nowMs: 1000 };
  return {
    ...{ format: decisionFormat, id: '1', kube: 'local', key: 'test/default/x', worker: 'w', wokenBy: [] },
    ...{ engine: { name: 'test', version: 2 }, traceId: 't', time: '2026-01-01T00:00:00.000Z', ...given },
    ...{ resource: { uid: 'u', generation: 1, resourceVersion: '1' }, steps: [] },
    ...{ durationMs: { observe: 1, plan: 1, act: 1 } },
    plan: engine.plan({}, facts, given.nowMs) as NonNullable<Decision['plan']>,
    ...change,
  };
}

describe('what a pass leaves for a look', () => {
  test('at rest: where each member is, and a digest of what it said', () => {
    const sight = sightOf(engine, pass({ members: calm }));
    assert.deepEqual(Object.keys(sight?.members ?? {}), ['a', 'b']);
    assert.equal(sight?.members['a']?.address, 'at a');
    assert.equal(sight?.engineVersion, 2);
    assert.ok(!JSON.stringify(sight).includes('leads'));
  });

  const restless: Record<string, Decision> = {
    'something is planned': pass(
      { members: calm },
      { plan: { reason: 'R', message: 'm', steps: [{ step: 's', why: 'w', args: {} }] } },
    ),
    'the pass has failed': pass(
      { members: calm },
      { error: { code: 'PASS_FAILED', message: 'm', retryable: true } },
    ),
    'an edit waits for approval': pass({ members: calm }, { approval: { state: 'held' } }),
    'the plan will be another one later': pass({ members: calm, dueAtMs: 60_000 }),
    'the engine sees what no event and no member tells': pass({ members: calm, hidden: true }),
  };
  for (const [why, decision] of Object.entries(restless)) {
    test(`nothing where ${why}`, () => assert.equal(sightOf(engine, decision), undefined));
  }

  test('nothing where the engine cannot look', () => {
    const { look: _look, ...blind } = engine;
    assert.equal(sightOf(blind, pass({ members: calm })), undefined);
  });
});

test('a look names the members that say something else, or nothing', async () => {
  const sight = sightOf(engine, pass({ members: { ...calm, c: 'follows' } }));
  assert.ok(sight);
  const { signal } = new AbortController();
  for (const [name, said] of Object.entries({ ...calm, c: 'follows' })) says.set(`at ${name}`, said);
  assert.deepEqual(await changedSince(engine, sight, signal), []);
  says.set('at b', 'leads');
  says.delete('at c');
  assert.deepEqual(await changedSince(engine, sight, signal), ['b', 'c']);
});
