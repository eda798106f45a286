import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../engine/contract.ts';
import type { Hindrance } from './facts.ts';
import { planFor, type Sketch, type WorldSketch, well } from './testing/world.ts';

/** The sketched worlds are 60 s old. */
const nowMs = 60_000;

const degraded = ({ status }: Plan) => {
  const found = status?.conditions.find(({ type }) => type === 'Degraded');
  assert.ok(found);
  return found;
};
const hindered = (
  number: number,
  reason: Hindrance['reason'],
  words: string,
  more: Partial<Hindrance> = {},
): Sketch => ({
  number,
  silent: true,
  podFact: { nodeName: null, hindrance: { reason, words, sinceMs: 0, runsSinceMs: null, ...more } },
});
const withThird = (third: Sketch, more: WorldSketch = {}) =>
  planFor({ members: [...well(1, 2), third], ...more });

test('a cluster that nothing hinders says so', () => {
  const { status, reason } = degraded(planFor({ members: well(1, 2, 3) }));
  assert.deepEqual([status, reason], ['False', 'NoHindrance']);
});

test('what keeps a pod from running is named, in the words of Kubernetes, with what a person can do', () => {
  const cases = [
    [
      'Unschedulable',
      '0/1 nodes are available: 1 Insufficient cpu.',
      /no node takes its pod.*Insufficient cpu\. What you can do: make room/,
    ],
    [
      'ImagePull',
      'ImagePullBackOff: Back-off pulling image "x"',
      /cannot be pulled.*Back-off.*correct spec\.repository/,
    ],
    [
      'ContainerFailing',
      'CrashLoopBackOff (exit code 1: bad flag)',
      /does not keep running.*bad flag.*kubectl logs/,
    ],
    [
      'PodFailed',
      'Evicted: The node was low on resource: memory',
      /ended for good: Evicted.*low on resource/,
    ],
  ] as const;
  for (const [reason, words, text] of cases) {
    const condition = degraded(withThird(hindered(3, reason, words)));
    assert.deepEqual([condition.status, condition.reason], ['True', reason]);
    assert.match(condition.message, /^example-3: /);
    assert.match(condition.message, text);
  }
});

test('it is said at the birth of a cluster as well, once for all that suffer from the same', () => {
  const members = [1, 2, 3].map((number) => hindered(number, 'Unschedulable', 'no node matches'));
  const plan = planFor({ members, identity: { formed: false }, services: 'headless' });
  assert.equal(plan.reason, 'Seeding');
  assert.match(degraded(plan).message, /^example-1, example-2, example-3: no node takes its pod/);
});

test('what is normal for a moment is given time, and the plan looks again when that is over', () => {
  const young = hindered(3, 'Unschedulable', 'waits for its claim', { sinceMs: nowMs - 4700 });
  const plan = withThird(young);
  assert.equal(degraded(plan).status, 'False');
  assert.equal(plan.requeueAfterMs, 300);
});

test('a container that has run again for a while has got over what ended it', () => {
  const words = 'ended (exit code 137: )';
  const again = (forMs: number) =>
    degraded(withThird(hindered(3, 'ContainerFailing', words, { runsSinceMs: nowMs - forMs }))).status;
  assert.deepEqual([again(5_000), again(40_000)], ['True', 'False']);
});

test('a pod that cannot be scheduled because of its claim is about the claim, and names the storage class', () => {
  const words = '0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims.';
  const claimFact = { phase: 'Pending', storageClass: 'nonesuch' };
  const condition = degraded(
    withThird({ ...hindered(3, 'Unschedulable', words), claimFact }, { claims: true }),
  );
  assert.equal(condition.reason, 'ClaimPending');
  assert.match(condition.message, /claim is Pending \(storage class: "nonesuch"\).*unbound immediate/);
});

test('a claim that waits for its pod to be scheduled is not the cause', () => {
  const words = "0/1 nodes are available: 1 node(s) didn't match node selector.";
  const third = { ...hindered(3, 'Unschedulable', words), claimFact: { phase: 'Pending' } };
  assert.equal(degraded(withThird(third, { claims: true })).reason, 'Unschedulable');
});

const lostNode: WorldSketch['facts'] = () => ({
  nodes: { node: { ok: true, value: { ready: false, words: 'NodeStatusUnknown: no reports', sinceMs: 0 } } },
});

test('a node that is not ready is named while its members still answer', () => {
  const plan = planFor({ members: well(1, 2, 3), facts: lostNode });
  const { reason, message } = degraded(plan);
  assert.equal(reason, 'NodeNotReady');
  assert.match(
    message,
    /^example-1, example-2, example-3: its node node is not ready \(NodeStatusUnknown: no reports\)/,
  );
  assert.match(message, /kubectl delete node node\.$/);
  assert.equal(plan.status?.conditions.find(({ type }) => type === 'Available')?.status, 'True');
});

test('a pod of a node that is gone is said to be on its way out', () => {
  const facts: WorldSketch['facts'] = () => ({ nodes: { node: { ok: true, value: null } } });
  const { reason, message } = degraded(planFor({ members: well(1, 2, 3), facts }));
  assert.equal(reason, 'NodeNotReady');
  assert.match(message, /its node node does not exist any more\. What you can do: nothing/);
});

test('a node that could not be read is no cause, and neither breaks the pass nor hides another cause', () => {
  const facts: WorldSketch['facts'] = () => ({ nodes: { node: { ok: false, error: 'forbidden' } } });
  assert.equal(degraded(planFor({ members: well(1, 2, 3), facts })).status, 'False');
});

test('a pod that does not end on a lost node is named after the node, with the ways out', () => {
  const third: Sketch = { number: 3, pod: 'deleting', podFact: { endsByMs: 30_000 } };
  const { reason, message } = degraded(withThird(third, { facts: lostNode }));
  assert.equal(reason, 'NodeNotReady');
  assert.match(
    message,
    /example-3: it should have ended by .* does not confirm it.*kubectl delete node node, or.*--force/,
  );
});

test('a pod that is being deleted within its time is no cause', () => {
  const third: Sketch = { number: 3, pod: 'deleting', podFact: { endsByMs: nowMs + 20_000 } };
  assert.equal(degraded(withThird(third)).status, 'False');
});

test('of several causes the most telling gives the reason, and all are told', () => {
  const members = [
    ...well(1, 2),
    hindered(3, 'ImagePull', 'no such image'),
    hindered(4, 'Unschedulable', 'no room'),
  ];
  const { reason, message } = degraded(planFor({ members }));
  assert.equal(reason, 'Unschedulable');
  assert.match(message, /example-4: .*no room.*example-3: .*no such image/);
});
