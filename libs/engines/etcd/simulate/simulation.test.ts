import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Forecast, forecast, spareOf } from '../../../engine/forecast.ts';
import { etcd } from '../index.ts';
import { type WorldSketch, well, worldOf } from '../testing/world.ts';

/** What an edit of a sketched cluster leads to. */
function foresee(sketch: WorldSketch, edit: object = {}): Forecast {
  const { spec, facts, nowMs } = worldOf(sketch);
  const found = forecast(etcd, { ...spec, ...edit }, facts, nowMs);
  assert.ok(found, 'nothing can be foreseen');
  return found;
}

const stepsOf = ({ steps }: Forecast) =>
  steps.filter(({ step }) => step !== 'applyBudget').map(({ step, subject }) => [step, subject].join(' '));
const margins = ({ steps }: Forecast) =>
  steps.flatMap(({ margin }) => (margin ? [`${margin.serving}/${margin.of} ${spareOf(margin)}`] : []));

test('a healthy cluster rests: nothing is done', () => {
  const found = foresee({ members: well(1, 2, 3) });
  assert.deepEqual([found.steps, found.end, found.reason], [[], 'rests', 'Healthy']);
  assert.deepEqual(found.margin, { serving: 3, of: 3, needed: 2, away: [] });
});

test('from three to five: one learner after the other, and quorum is never in danger', () => {
  const found = foresee({ members: well(1, 2, 3) }, { size: 5 });
  assert.deepEqual(stepsOf(found), [
    ...['addMember example-4', 'recordIdentity ', 'createPod example-4', 'promoteMember example-4'],
    ...['addMember example-5', 'recordIdentity ', 'createPod example-5', 'promoteMember example-5'],
  ]);
  assert.deepEqual([found.end, found.reason, found.marginAtEnd?.of], ['rests', 'Healthy', 5]);
  assert.ok(found.steps.every(({ margin }) => margin && spareOf(margin) >= 1));
});

test('from five to three: the youngest that do not lead go, each with its pod and its claim', () => {
  const members = well(1, 2, 3, 4, 5).map((member) => ({
    ...member,
    ...(member.number === 5 && { leads: true as const }),
  }));
  const found = foresee({ members, claims: true }, { size: 3 });
  assert.deepEqual(stepsOf(found), [
    ...['removeMember example-4', 'deletePod example-4', 'deleteClaim example-4'],
    ...['removeMember example-3', 'deletePod example-3', 'deleteClaim example-3'],
  ]);
  assert.deepEqual([found.end, found.marginAtEnd?.of], ['rests', 3]);
});

test('a member that is silent stays so: the plan says where that leads', () => {
  const found = foresee({ members: [...well(1, 2), { number: 3, silent: true }] }, { size: 4 });
  assert.deepEqual(stepsOf(found).slice(0, 1), ['addMember example-4']);
  assert.equal(found.reason, 'MemberUnhealthy');
  assert.deepEqual(found.marginAtEnd, { serving: 3, of: 4, needed: 3, away: ['example-3'] });
  assert.match(margins(found).join(), /2\/3 0/);
});

test('a cluster without quorum is blocked, now and at the end', () => {
  const found = foresee({
    members: [...well(1), { number: 2, silent: true }, { number: 3, silent: true }],
    quorum: false,
  });
  assert.deepEqual([found.steps, found.end, found.reason], [[], 'blocked', 'QuorumLost']);
  assert.deepEqual(found.margin, { serving: 1, of: 3, needed: 2, away: ['example-2', 'example-3'] });
});

test('a lost member is replaced: removed, and another one added under a new number', () => {
  const found = foresee({ members: [...well(1, 2), { number: 3, pod: 'none' }], spec: { size: 3 } });
  assert.deepEqual(stepsOf(found), [
    'removeMember example-3',
    ...['addMember example-4', 'recordIdentity ', 'createPod example-4', 'promoteMember example-4'],
  ]);
});

test('a new cluster is bootstrapped', () => {
  const found = foresee({ identity: null, members: [], size: 3, services: 'none', ageSeconds: 0 });
  assert.deepEqual(stepsOf(found), [
    ...[
      'recordIdentity ',
      'applyService example',
      'createPod example-1',
      'createPod example-2',
      'createPod example-3',
    ],
    ...['recordIdentity ', 'applyService example-client'],
  ]);
  assert.equal(found.reason, 'Healthy');
});

test('of a deleted resource, everything goes in order', () => {
  const { facts, nowMs } = worldOf({ members: well(1, 2, 3), claims: true });
  const found = forecast(etcd, undefined, { ...facts, resource: null }, nowMs);
  assert.deepEqual(
    [...new Set(found?.steps.map(({ step }) => step))],
    ['deletePod', 'deleteClaim', 'deleteService', 'deleteBudget'],
  );
  assert.deepEqual([found?.end, found?.reason], ['rests', 'Deleted']);
});

test('what could not be read cannot be foreseen', () => {
  const { spec, facts, nowMs } = worldOf({
    members: well(1),
    facts: () => ({ pods: { ok: false, error: 'x' } }),
  });
  assert.equal(forecast(etcd, spec, facts, nowMs), undefined);
});
