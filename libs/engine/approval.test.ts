import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { resourceTypeOf } from '../kube/definition.ts';
import { resourceTypes } from '../kube/object.ts';
import { approvalAnnotations, planHash } from './approval.ts';
import type { ActContext, Engine, Plan, Step } from './contract.ts';
import type { Decision } from './decision.ts';
import { runPass } from './pass.ts';
import { everything } from './scope.ts';
import { createMemoryKube, type MemoryKube } from './testing/memory-kube.ts';

interface Spec {
  count: number;
  paused: boolean;
  env?: unknown[] | undefined;
}

interface Facts {
  pods: string[];
}

const { approval, approvedPlan, acceptedSpec } = approvalAnnotations;

const definition = {
  ...{ group: 'test.quorate.io', version: 'v1', kind: 'Counter', plural: 'counters', singular: 'counter' },
  ...{ shortNames: [], description: 'Wants a number of pods.', printerColumns: [] },
  spec: z.object({
    count: z.number().max(9),
    paused: z.boolean().default(false),
    env: z.array(z.unknown()).optional(),
  }),
  status: z.object({}),
};
const type = resourceTypeOf(definition);
const key = { engine: 'counter', namespace: 'default', name: 'one' };

function plan(spec: Spec | undefined, { pods }: Facts): Plan {
  const wanted = Array.from({ length: spec?.count ?? 0 }, (_, index) => `p${index + 1}`);
  const missing = wanted.filter((name) => !pods.includes(name)).slice(0, 1);
  const extra = pods.filter((name) => !wanted.includes(name)).slice(0, 1);
  return {
    reason: missing.length + extra.length === 0 ? 'Healthy' : 'Changing',
    message: '',
    steps: [
      ...missing.map((name): Step => ({ step: 'make', why: name, args: { name } })),
      ...extra.map((name): Step => ({ step: 'take', why: name, args: { name } })),
    ],
    status: { conditions: [], members: pods },
  };
}

/** Wants pods p1 to p<count>, one step a pass, and can see ahead. */
const engine = {
  ...{ name: 'counter', version: 1, resource: definition, owned: [], plan },
  async observe({ kube }) {
    const { items } = await kube.list(resourceTypes.pod, { namespace: 'default' });
    return { pods: items.map(({ metadata }) => metadata.name).sort() };
  },
  simulate(_spec, facts, nowMs) {
    let [pods, now] = [facts.pods, nowMs];
    return {
      facts: () => ({ pods }),
      nowMs: () => now,
      act({ step, args }) {
        const { name } = args as { name: string };
        pods = step === 'make' ? [...pods, name].sort() : pods.filter((pod) => pod !== name);
        return 'done';
      },
      tick() {
        now += 500;
      },
    };
  },
  steps: {
    async make({ name }: { name: string }, { kube }: ActContext) {
      const metadata = { name, namespace: 'default' };
      await kube.create(resourceTypes.pod, { apiVersion: 'v1', kind: 'Pod', metadata });
      return { outcome: 'done' };
    },
    async take({ name }: { name: string }, { kube }: ActContext) {
      const uid = (await kube.get(resourceTypes.pod, 'default', name))?.metadata.uid ?? '';
      await kube.delete(resourceTypes.pod, 'default', name, { uid });
      return { outcome: 'done' };
    },
  },
} satisfies Engine<Spec, Facts> as unknown as Engine;

function start(spec: object, annotations: Record<string, string>): MemoryKube {
  const kube = createMemoryKube();
  const metadata = { name: 'one', namespace: 'default', annotations };
  kube.put(type, { apiVersion: `${definition.group}/v1`, kind: definition.kind, metadata, spec });
  return kube;
}

const signal = new AbortController().signal;

const pass = (kube: MemoryKube, by: Engine = engine): Promise<Decision> =>
  runPass({
    ...{ engine: by, kube, key, scope: everything, signal, now: () => 1000 },
    ...{ id: 'p', traceId: 't', worker: 'w', wokenBy: [], digestKey: 'a key' },
  });

/** Passes until one does nothing; the last is returned. */
async function settle(kube: MemoryKube): Promise<Decision> {
  for (let turn = 0; turn < 30; turn++) {
    const writes = kube.writes.length;
    const decision = await pass(kube);
    assert.equal(decision.error, undefined);
    if (kube.writes.length === writes) return decision;
  }
  return assert.fail('it does not come to rest');
}

const pods = async (kube: MemoryKube) =>
  (await kube.list(resourceTypes.pod, { namespace: 'default' })).items
    .map(({ metadata }) => metadata.name)
    .sort();
const annotationsOf = async (kube: MemoryKube) =>
  (await kube.get(type, 'default', 'one'))?.metadata.annotations ?? {};
const edit = (kube: MemoryKube, spec: object) => kube.patch(type, 'default', 'one', { spec });
const annotate = (kube: MemoryKube, annotations: Record<string, string | null>) =>
  kube.patch(type, 'default', 'one', { metadata: { annotations } });
const hashFor = async (kube: MemoryKube, spec: object) =>
  planHash(engine, definition.spec.parse(spec), { pods: await pods(kube) }, 5) ?? '';

/** A cluster of three that rests, and from now on wants approval. */
async function guarded(): Promise<MemoryKube> {
  const kube = start({ count: 3 }, {});
  await settle(kube);
  await annotate(kube, { [approval]: 'required' });
  await settle(kube);
  return kube;
}

test('a resource at rest is accepted as it is; without the annotation nothing is noted', async () => {
  const free = start({ count: 1 }, {});
  assert.equal((await settle(free)).approval, undefined);
  assert.deepEqual(await annotationsOf(free), {});
  const kube = await guarded();
  assert.equal((await annotationsOf(kube))[acceptedSpec], '{"count":3}');
});

test('an edit waits for the approval of its very plan, and then is done', async () => {
  const kube = await guarded();
  await edit(kube, { count: 5 });
  const held = await settle(kube);
  assert.deepEqual(
    [held.approval?.state, held.spec, await pods(kube)],
    ['held', { count: 3, paused: false }, ['p1', 'p2', 'p3']],
  );
  const hash = await hashFor(kube, { count: 5 });
  assert.equal(held.approval?.hash, hash);
  const { blocked } = held.approval ?? {};
  assert.match(
    blocked?.evidence ?? '',
    new RegExp(`spec.count changed; plan ${hash}, 2 steps: make p4, make p5`),
  );
  assert.match(blocked?.action ?? '', new RegExp(`approved-plan=${hash}`));

  await annotate(kube, { [approvedPlan]: 'another' });
  assert.match((await settle(kube)).approval?.blocked?.evidence ?? '', /approved is another/);
  await annotate(kube, { [approvedPlan]: hash });
  const accepted = await pass(kube);
  assert.deepEqual([accepted.approval?.state, accepted.steps], ['accepted', []]);
  assert.equal((await settle(kube)).approval, undefined);
  assert.equal((await pods(kube)).length, 5);
  assert.equal((await annotationsOf(kube))[approvedPlan], undefined);
});

test('healing needs no approval, and is done as accepted while an edit waits', async () => {
  const kube = await guarded();
  await edit(kube, { count: 1 });
  await kube.delete(resourceTypes.pod, 'default', 'p2', {
    uid: (await kube.get(resourceTypes.pod, 'default', 'p2'))?.metadata.uid ?? '',
  });
  assert.equal((await settle(kube)).approval?.state, 'held');
  assert.deepEqual(await pods(kube), ['p1', 'p2', 'p3']);
});

test('an approval is void when the cluster is another one by then', async () => {
  const kube = await guarded();
  const hash = await hashFor(kube, { count: 2 });
  const extra = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p9', namespace: 'default' } };
  await edit(kube, { count: 2 });
  kube.put(resourceTypes.pod, extra);
  await annotate(kube, { [approvedPlan]: hash });
  const decision = await pass(kube);
  assert.equal(decision.approval?.state, 'held');
  assert.notEqual(decision.approval?.hash, hash);
});

test('an edit that is taken back waits no longer', async () => {
  const kube = await guarded();
  await edit(kube, { count: 5 });
  await settle(kube);
  await edit(kube, { count: 3 });
  assert.equal((await settle(kube)).approval, undefined);
});

test('where nothing has been accepted, nothing is done before an approval; a creation is approved like an edit', async () => {
  const kube = start({ count: 2 }, { [approval]: 'required' });
  const held = await settle(kube);
  assert.deepEqual([held.approval?.state, held.steps, await pods(kube)], ['held', [], []]);
  await annotate(kube, { [approvedPlan]: await hashFor(kube, { count: 2 }) });
  await settle(kube);
  assert.deepEqual(await pods(kube), ['p1', 'p2']);
});

test('what was accepted is forgotten with the annotation, so that it is never gone back to', async () => {
  const kube = await guarded();
  await annotate(kube, { [approval]: null });
  await settle(kube);
  assert.deepEqual(await annotationsOf(kube), {});
  await edit(kube, { count: 5 });
  await settle(kube);
  await annotate(kube, { [approval]: 'required' });
  await settle(kube);
  assert.equal((await pods(kube)).length, 5);
});

test('a pause needs no approval, and a spec that cannot be understood is answered as ever', async () => {
  const kube = await guarded();
  await edit(kube, { count: 3, paused: true });
  assert.equal((await pass(kube)).approval, undefined);
  await edit(kube, { count: 99 });
  const decision = await pass(kube);
  assert.deepEqual([decision.plan?.reason, decision.approval], ['InvalidSpec', undefined]);
});

test('an engine that cannot see ahead changes nothing that requires approval', async () => {
  const kube = await guarded();
  await edit(kube, { count: 5 });
  const { simulate: _simulate, ...blind } = engine;
  const decision = await pass(kube, blind);
  assert.equal(decision.approval?.state, 'held');
  assert.match(decision.approval?.blocked?.evidence ?? '', /cannot be foreseen/);
  assert.deepEqual(await pods(kube), ['p1', 'p2', 'p3']);
});

test('no secret of a spec is in the record of an edit that waits', async () => {
  const kube = await guarded();
  const canary = 'canary-in-the-mine';
  await edit(kube, { count: 3, env: [{ name: 'PASSWORD', value: canary }] });
  const decision = await pass(kube);
  assert.match(decision.approval?.blocked?.evidence ?? '', /spec\.env changed/);
  assert.ok(!JSON.stringify(decision).includes(canary));
});
