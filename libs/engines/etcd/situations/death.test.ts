import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EtcdFacts } from '../facts.ts';
import { plan } from '../plan.ts';
import { planFor, stepsOf, strayClaim, well, worldOf } from '../testing/world.ts';

const gone = (facts: EtcdFacts): EtcdFacts => ({ ...facts, resource: null });

test('of a deleted cluster the pods go first, so that no etcd loses its disk while it runs', () => {
  const { facts } = worldOf({ members: well(1, 2), claims: true });
  const planned = plan(undefined, gone(facts), 0);
  assert.deepEqual(
    [planned.reason, stepsOf(planned)],
    ['Deleted', ['deletePod example-1', 'deletePod example-2']],
  );
  assert.equal(planned.status, undefined);
});

test('then go the claims, and while one of them is still going the services wait', () => {
  const { facts } = worldOf({
    members: [
      { number: 1, pod: 'none' },
      { number: 2, pod: 'none', claim: 'deleting' },
    ],
    claims: true,
  });
  assert.deepEqual(stepsOf(plan(undefined, gone(facts), 0)), ['deleteClaim example-1']);
});

test('last go the services', () => {
  const { facts } = worldOf({ size: 1 });
  assert.deepEqual(stepsOf(plan(undefined, gone(facts), 0)), [
    'deleteService example',
    'deleteService example-client',
  ]);
});

test('a resource that is being deleted is treated as deleted, whatever its spec says', () => {
  const { facts } = worldOf({ members: well(1) });
  const going = { ...facts, resource: facts.resource && { ...facts.resource, deleting: true } };
  assert.deepEqual(stepsOf(plan(undefined, going, 0)), ['deletePod example-1']);
});

test('objects that were orphaned on purpose stay', () => {
  const { facts } = worldOf({
    size: 1,
    services: 'none',
    facts: () => ({ claims: { ok: true, value: [strayClaim] } }),
  });
  assert.deepEqual(plan(undefined, gone(facts), 0).steps, []);
});

test('nothing is deleted while Kubernetes is still taking the name of its owner off what is orphaned', () => {
  const { facts } = worldOf({ members: well(1, 2, 3), claims: true });
  const going = (orphaning: boolean) =>
    plan(
      undefined,
      { ...facts, resource: facts.resource && { ...facts.resource, deleting: true, orphaning } },
      0,
    );
  assert.deepEqual([going(true).reason, going(true).steps], ['Deleted', []]);
  assert.equal(going(false).steps.length, 3);
});

test('a living resource without a spec is never planned for, because nothing may be deleted for that', () => {
  const { facts } = worldOf({ members: well(1) });
  assert.throws(() => plan(undefined, facts, 0), /no spec/);
});

test('what could not be read is waited for, because it might all be there', () => {
  const planned = planFor({ size: 3, facts: () => ({ pods: { ok: false, error: 'timed out' } }) });
  assert.deepEqual([planned.reason, planned.steps, planned.status], ['Unreadable', [], undefined]);
  assert.match(planned.message, /timed out/);
});

test('where the right to read a part is missing, nothing is done either, and it is said on the resource', () => {
  const error =
    'the Kubernetes API refused a request: GET /apis/policy/v1/poddisruptionbudgets: poddisruptionbudgets.policy is forbidden: User "worker" cannot list resource "poddisruptionbudgets" (403)';
  const planned = (budgets: EtcdFacts['budgets']) =>
    planFor({ members: well(1), facts: () => ({ budgets }) });
  assert.match(planned({ ok: false, error }).blocked?.evidence ?? '', /cannot list resource/);
  assert.equal(planned({ ok: false, error: 'timed out' }).blocked, undefined);
});
