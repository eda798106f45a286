import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimMadeFor, podMadeFor } from '../made-for.ts';
import { etcdSpec } from '../resource.ts';
import type { SetImage } from '../steps/image.ts';
import type { DeleteObject } from '../steps/objects.ts';
import { firstArgs, planFor, type Sketch, stepsOf, type WorldSketch, well } from '../testing/world.ts';

const unformed = { identity: { formed: false }, services: 'headless' } as const;
const notRun = (number: number, podFact: Sketch['podFact'] = {}): Sketch => ({
  number,
  silent: true,
  podFact: { hasRun: false, ...podFact },
});
const corrected = (more: Partial<WorldSketch>) =>
  planFor({ members: [1, 2, 3].map((n) => notRun(n)), ...unformed, ...more });

test('the version may be corrected as long as no seed has run, and is recorded before any pod gets it', () => {
  const plan = corrected({ version: '3.4.99', spec: { version: '3.4.23' } });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['VersionCorrected', ['recordIdentity unformed 3']]);
  assert.match(JSON.stringify(plan.steps[0]?.args), /"version":"3\.4\.23"/);
});

test('once a seed has run, another version is no correction any more', () => {
  const members = [notRun(1), notRun(2), notRun(3, { hasRun: true })];
  const plan = planFor({ members, ...unformed, version: '3.4.23', spec: { version: '3.5.16' } });
  assert.equal(plan.reason, 'Seeding');
});

test('where a seed began with the version of before, that one is recorded again, and the others get it', () => {
  const before: Sketch = notRun(1, { hasRun: true, version: '3.4.23' });
  const more = { ...unformed, spec: { version: '3.5.16' } };
  const plan = planFor({ members: [before, notRun(2), notRun(3)], ...more, version: '3.5.16' });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['VersionCorrected', ['recordIdentity unformed 3']]);
  assert.match(JSON.stringify(plan.steps[0]?.args), /"version":"3\.4\.23"/);
  const image = 'quay.io/coreos/etcd:v3.5.16';
  const then = planFor({ members: [before, notRun(2, { image })], ...more, version: '3.4.23' });
  assert.deepEqual([then.reason, stepsOf(then)], ['ImageCorrected', ['setImage example-2']]);
});

test('a pod that has never run gets a corrected image in place, also as a newcomer of a formed cluster', () => {
  const image = 'registry.example/etcd';
  const seeds = corrected({ spec: { repository: image } });
  assert.deepEqual(
    [seeds.reason, stepsOf(seeds)],
    ['ImageCorrected', ['setImage example-1', 'setImage example-2', 'setImage example-3']],
  );
  const newcomer: Sketch = { ...notRun(4), learner: true };
  const formed = planFor({ members: [...well(1, 2, 3), newcomer], spec: { repository: image } });
  assert.deepEqual(stepsOf(formed), ['setImage example-4']);
  assert.deepEqual(firstArgs(formed), {
    name: 'example-4',
    uid: 'pod-4',
    resourceVersion: '3',
    image: `${image}:v3.4.23`,
    version: '3.4.23',
  });
});

test('a pod that has run keeps its image, whatever the spec says', () => {
  assert.equal(planFor({ members: well(1, 2, 3), spec: { repository: 'r.example/etcd' } }).reason, 'Healthy');
});

test('a member that was changed to an image that cannot be pulled gets that of a corrected repository', () => {
  const hindrance = { reason: 'ImagePull', words: 'ErrImagePull', sinceMs: 0, runsSinceMs: null } as const;
  const podFact = { hindrance, image: 'typo.example/etcd:v3.5.16' };
  const tried: Sketch = { number: 2, version: '3.5.16', trouble: 'ErrImagePull', podFact };
  const members = [...well(1), tried, ...well(3)];
  const plan = planFor({ members, spec: { version: '3.5.16', repository: 'r.example/etcd' } });
  assert.deepEqual([plan.reason, stepsOf(plan)], ['ImageCorrected', ['setImage example-2']]);
  const { image, version } = firstArgs<SetImage>(plan);
  assert.deepEqual([image, version], ['r.example/etcd:v3.5.16', '3.5.16']);
  const same = planFor({ members, spec: { version: '3.5.16', repository: 'typo.example/etcd' } });
  assert.deepEqual([same.reason, same.steps], ['Upgrading', []]);
});

const placed = { pod: { nodeSelector: { disk: 'fast' } } };
const madeFor = (spec: object) => podMadeFor(etcdSpec.parse({ size: 1, ...spec }));

test('pods that were never scheduled are made again when the spec says another place, unless they have changed', () => {
  const waiting = { nodeName: null, ip: null, madeFor: madeFor(placed) };
  const members = [1, 2].map((number) => notRun(number, waiting));
  const plan = planFor({ members, ...unformed, spec: {} });
  assert.deepEqual(
    [plan.reason, stepsOf(plan)],
    ['SpecCorrected', ['deletePod example-1', 'deletePod example-2']],
  );
  assert.equal(firstArgs<DeleteObject>(plan).resourceVersion, '3');
  assert.equal(planFor({ members, ...unformed, spec: placed }).reason, 'Seeding');
});

test('a pod that is on a node keeps its place, and one that does not tell what it was made for is left alone', () => {
  const scheduled = notRun(1, { nodeName: 'node', madeFor: madeFor(placed) });
  assert.equal(planFor({ members: [scheduled], ...unformed }).reason, 'Seeding');
  const older = notRun(1, { nodeName: null, madeFor: null });
  assert.equal(planFor({ members: [older], ...unformed }).reason, 'Seeding');
});

test('a claim that was never bound is made again with its pod when another is asked for', () => {
  const wrong = etcdSpec.parse({
    size: 1,
    pod: { persistentVolumeClaimSpec: { storageClassName: 'nonesuch' } },
  });
  const pod = { nodeName: null, ip: null, madeFor: madeFor({}) };
  const claim = { phase: 'Pending', madeFor: claimMadeFor(wrong) ?? null };
  const waiting = { ...notRun(1, pod), claimFact: claim };
  const plan = planFor({ members: [waiting], claims: true, ...unformed });
  assert.deepEqual(stepsOf(plan), ['deletePod example-1', 'deleteClaim example-1']);
  const bound = { ...waiting, claimFact: { ...claim, phase: 'Bound' } };
  assert.deepEqual(planFor({ members: [bound], claims: true, ...unformed }).steps, []);
});

test('what a pod or claim was made for does not depend on the order of fields', () => {
  const claim = (spec: object) =>
    claimMadeFor(etcdSpec.parse({ size: 1, pod: { persistentVolumeClaimSpec: spec } }));
  assert.equal(claim({ a: 1, b: { c: 1, d: [2] } }), claim({ b: { d: [2], c: 1 }, a: 1 }));
  assert.notEqual(claim({ a: [1, 2] }), claim({ a: [2, 1] }));
});
