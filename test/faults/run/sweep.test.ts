import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planSchema } from '../plan.ts';
import { casesOf } from './sweep.ts';

const plan = planSchema.parse({
  name: 'walk',
  about: 'a test',
  steps: [{ create: { size: 1 } }, 'settle', 'lead', { scale: { size: 3 } }, 'settle'],
  sweep: { each: ['kill-before', 'stop-before'], writes: 2 },
});

test('a sweep has a case for each write and way to strike, behind the undisturbed one', () => {
  assert.deepEqual(
    casesOf(plan).map(({ name }) => name),
    [
      'walk/undisturbed',
      'walk/kill-before/1',
      'walk/kill-before/2',
      'walk/stop-before/1',
      'walk/stop-before/2',
    ],
  );
});

test('each scenario of a case is struck at its own n-th write, and its end is compared', () => {
  const { steps } = casesOf(plan).find(({ name }) => name === 'walk/stop-before/2') ?? { steps: [] };
  assert.deepEqual(
    steps.map(({ word }) => word),
    [
      'strike',
      'create',
      'settle',
      'release',
      'settle',
      'sameEnd',
      'lead',
      'strike',
      'scale',
      'settle',
      'release',
      'settle',
      'sameEnd',
    ],
  );
  assert.deepEqual(steps[0]?.given, { nth: 2, moment: 'before', do: 'stop' });
  assert.deepEqual(steps.at(-1)?.given, { scenario: 'scale to 3' });
});

test('what is wrong with a plan is said by the word', () => {
  const wrong = { name: 'walk', about: 'a test', steps: [{ scale: { size: 9 } }, 'jump'] };
  const { error } = planSchema.safeParse(wrong);
  const said = error?.issues.map(({ message }) => message).join('\n') ?? '';
  assert.match(said, /scale: .*size/s);
  assert.match(said, /"jump" is not one action; there are create,/);
});
