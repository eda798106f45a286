import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from './decision.ts';
import { changedSince, sightOf } from './look.ts';
import { calm, engine, pass, says } from './testing/looked-at.ts';

describe('what a pass leaves for a look', () => {
  test('at rest: where each member is, and a digest of what it said', () => {
    const sight = sightOf(engine, pass({ members: calm }));
    assert.deepEqual(Object.keys(sight?.members ?? {}), ['a', 'b']);
    assert.equal(sight?.members['a']?.address, 'at a');
    assert.ok(!JSON.stringify(sight).includes('leads'));
  });

  const restless: Record<string, Decision> = {
    'an event woke the pass': pass({ members: calm }, { wokenBy: ['u/1/modified'] }),
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
