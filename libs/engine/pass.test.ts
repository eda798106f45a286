import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { QuorateError } from '../errors/catalogue.ts';
import { resourceTypeOf } from '../kube/definition.ts';
import { type KubeObject, resourceTypes } from '../kube/object.ts';
import type { ActContext, Engine, Plan } from './contract.ts';
import { decisionSchema } from './decision.ts';
import { runPass } from './pass.ts';
import { replay } from './replay.ts';
import { everything, type Scope } from './scope.ts';
import { createMemoryKube, type MemoryKube } from './testing/memory-kube.ts';

interface Spec {
  count: number;
}

const definition = {
  group: 'test.quorate.io',
  version: 'v1',
  kind: 'Counter',
  plural: 'counters',
  singular: 'counter',
  shortNames: [],
  description: 'Wants a number of pods.',
  spec: z.object({ count: z.number().int().max(9) }),
  status: z.object({}),
  printerColumns: [],
};
const type = resourceTypeOf(definition);
const key = { engine: 'counter', namespace: 'default', name: 'one' };

/** Wants pods p1 to p<count>: the smallest engine that observes, plans and acts. */
function counterEngine(change: Partial<Engine<Spec, { pods: string[] }>> = {}): Engine {
  const engine: Engine<Spec, { pods: string[] }> = {
    name: 'counter',
    version: 3,
    resource: definition,
    owned: [resourceTypes.pod],
    async observe({ kube, signal }) {
      const { items } = await kube.list(resourceTypes.pod, { namespace: 'default', signal });
      return { pods: items.map(({ metadata }) => metadata.name).sort() };
    },
    plan(spec, { pods }): Plan {
      if (spec === undefined) return { reason: 'Deleted', message: 'gone', steps: [], status: undefined };
      const wanted = Array.from({ length: spec.count }, (_, index) => `p${index + 1}`);
      const missing = wanted.filter((name) => !pods.includes(name));
      return {
        reason: missing.length === 0 ? 'Healthy' : 'Missing',
        message: `${missing.length} missing`,
        steps: missing.map((name) => ({ step: 'make', why: `${name} is missing`, args: { name } })),
        status: { conditions: [] },
      };
    },
    steps: {
      async make({ name }: { name: string }, context: ActContext) {
        const metadata = { name, namespace: 'default' };
        await context.kube.create(
          resourceTypes.pod,
          { apiVersion: 'v1', kind: 'Pod', metadata },
          context.signal,
        );
        return { outcome: 'done' };
      },
    },
    ...change,
  };
  return engine as Engine;
}

function kubeWith(spec: unknown, metadata: Partial<KubeObject['metadata']> = {}): MemoryKube {
  const kube = createMemoryKube();
  const apiVersion = `${definition.group}/${definition.version}`;
  const named = { name: 'one', namespace: 'default', generation: 4, ...metadata };
  kube.put(type, { apiVersion, kind: definition.kind, metadata: named, spec });
  return kube;
}

function pass(
  kube: MemoryKube,
  engine = counterEngine(),
  signal = new AbortController().signal,
  scope: Scope = everything,
) {
  let nowMs = 1_000;
  const now = () => nowMs++;
  const names = { id: 'pass-1', traceId: 't', worker: 'w', wokenBy: ['event-1'], digestKey: 'a key' };
  return runPass({ engine, kube, key, scope, now, signal, ...names });
}

test('a pass observes, plans and acts, and its record tells all of it in the published format', async () => {
  const kube = kubeWith({ count: 2 });
  const decision = await pass(kube);
  assert.deepEqual(kube.writes, ['create Pod p1', 'create Pod p2']);
  assert.deepEqual(decision.facts, { pods: [] });
  assert.deepEqual(decision.spec, { count: 2 });
  assert.deepEqual(decision.resource, { uid: 'uid-1', generation: 4, resourceVersion: '1' });
  assert.deepEqual(
    decision.steps.map(({ why, outcome }) => `${why}: ${outcome}`),
    ['p1 is missing: done', 'p2 is missing: done'],
  );
  assert.equal(decision.error, undefined);
  assert.deepEqual(decisionSchema.parse(JSON.parse(JSON.stringify(decision))), decision);
});

test('a resource that is left to another operator is read, and nothing else is done or said', async () => {
  const clusterWide = { annotation: 'example.com/scope', value: 'clusterwide' };
  const engine = counterEngine({
    resource: { ...definition, clusterWide },
    observe: () => assert.fail('it is none of ours'),
  });
  const annotations = { 'example.com/scope': 'clusterwide' };
  const kube = kubeWith({ count: 2 }, { annotations });
  const decision = await pass(kube, engine, undefined, { namespaces: ['default'], annotatedOnly: false });
  assert.deepEqual(kube.writes, []);
  assert.deepEqual([decision.plan?.reason, decision.plan?.status], ['NotOurs', undefined]);
  assert.equal(decision.error, undefined);
  assert.match(decision.resource?.leftAlone ?? '', /example\.com\/scope/);
  assert.deepEqual(decisionSchema.parse(JSON.parse(JSON.stringify(decision))), decision);
  assert.deepEqual(replay(engine, decision), { outcome: 'equal' });
});

test('the recorded facts are the very ones that were planned with, so the record can be replayed', async () => {
  let planned: unknown;
  const engine = counterEngine({
    observe: async () => ({ pods: [], dropped: undefined, at: new Date(0) }) as never,
    plan(_, facts) {
      planned = facts;
      return { reason: 'Seen', message: '', steps: [], status: undefined };
    },
  });
  const decision = await pass(kubeWith({ count: 1 }), engine);
  assert.deepEqual(decision.facts, { pods: [], at: '1970-01-01T00:00:00.000Z' });
  assert.deepEqual(planned, decision.facts);
});

test('a spec that the schema refuses is answered on the resource, field by field, and nothing is done', async () => {
  const kube = kubeWith({ count: 'three' });
  const decision = await pass(kube);
  assert.deepEqual(kube.writes, []);
  assert.equal(decision.plan?.reason, 'InvalidSpec');
  assert.match(decision.plan?.blocked?.evidence ?? '', /^spec\.count: /);
  assert.deepEqual(decision.spec, { count: 'three' });
});

test('a resource that is being deleted is deleted, whatever its spec says', async () => {
  const decision = await pass(kubeWith({ count: 'three' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }));
  assert.equal(decision.plan?.reason, 'Deleted');
});

test('a resource that is gone is planned for without a spec, and its record names no resource', async () => {
  const decision = await pass(createMemoryKube());
  assert.equal(decision.plan?.reason, 'Deleted');
  assert.equal(decision.resource, undefined);
});

test('a step that finds the world moved stops the rest, which is no error', async () => {
  const engine = counterEngine({
    steps: { make: async () => ({ outcome: 'moved', detail: 'another came' }) },
  });
  const decision = await pass(kubeWith({ count: 3 }), engine);
  assert.deepEqual(
    decision.steps.map(({ outcome }) => outcome),
    ['moved', 'skipped', 'skipped'],
  );
  assert.equal(decision.error, undefined);
});

test('a step that fails is recorded with its reason, and the rest is skipped', async () => {
  const make = async ({ name }: { name: string }) => {
    if (name === 'p2') throw new QuorateError('KUBE_REFUSED', 'no quota left');
    return { outcome: 'nothing' as const, detail: 'it exists already' };
  };
  const decision = await pass(kubeWith({ count: 3 }), counterEngine({ steps: { make } }));
  assert.deepEqual(
    decision.steps.map(({ outcome }) => outcome),
    ['nothing', 'failed', 'skipped'],
  );
  assert.match(decision.steps[1]?.detail ?? '', /no quota left/);
  assert.equal(decision.error?.code, 'KUBE_REFUSED');
  assert.equal(decision.error?.retryable, false);
});

test('a step that no engine knows is an error of the record, not a crash', async () => {
  const decision = await pass(kubeWith({ count: 1 }), counterEngine({ steps: {} }));
  assert.match(decision.error?.message ?? '', /no step make/);
});

test('what cannot be observed or planned ends in the record, with nothing done', async () => {
  const kube = kubeWith({ count: 1 });
  const observe = () => Promise.reject(new QuorateError('KUBE_UNREACHABLE', 'timed out'));
  const blind = await pass(kube, counterEngine({ observe }));
  assert.deepEqual(
    [blind.error?.code, blind.error?.retryable, blind.plan],
    ['KUBE_UNREACHABLE', true, undefined],
  );
  const plan = () => {
    throw new Error('a mistake in the plan');
  };
  const broken = await pass(kube, counterEngine({ plan }));
  assert.equal(broken.error?.code, 'UNEXPECTED');
  assert.deepEqual(broken.facts, { pods: [] });
  assert.deepEqual(kube.writes, []);
});

test('an aborted pass writes nothing, because another worker has the task by now, and says so in its record', async () => {
  const kube = kubeWith({ count: 2 });
  const controller = new AbortController();
  const lost = new Error('the lock is lost');
  const engine = counterEngine({
    async observe() {
      controller.abort(lost);
      return { pods: [] };
    },
  });
  const decision = await pass(kube, engine, controller.signal);
  assert.equal(decision.error?.code, 'TASK_LOST');
  assert.match(decision.error.message, /the lock is lost/);
  assert.equal(decision.plan, undefined);
  assert.deepEqual(kube.writes, []);
});

test('a pass that is aborted between two steps does not begin the second', async () => {
  const kube = kubeWith({ count: 2 });
  const controller = new AbortController();
  const begun: string[] = [];
  const make = async ({ name }: { name: string }) => {
    begun.push(name);
    controller.abort(new Error('the lock is lost'));
    return { outcome: 'done' as const };
  };
  const decision = await pass(kube, counterEngine({ steps: { make } }), controller.signal);
  assert.deepEqual(begun, ['p1']);
  assert.deepEqual(
    decision.steps.map(({ outcome }) => outcome),
    ['done', 'failed'],
  );
  assert.equal(decision.error?.code, 'TASK_LOST');
});

test('a secret reaches the steps and Kubernetes, and neither the plan nor anything of the record', async () => {
  const canary = 'canary-7c1f90';
  const planned: unknown[] = [];
  const made: unknown[] = [];
  const kube = kubeWith({ count: 1, someEnv: [{ name: 'PASSWORD', value: canary }] });
  const env = [{ name: 'OLD', value: `${canary}-of-before` }];
  kube.put(resourceTypes.pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p0', namespace: 'default' },
    spec: { containers: [{ env }] },
  });
  const engine = counterEngine({
    resource: { ...definition, spec: z.looseObject({ count: z.number() }) },
    async observe({ kube: seen, signal }) {
      await seen.list(resourceTypes.pod, { namespace: 'default', signal });
      return { pods: [], trouble: `exit code 1: ${canary}-of-before is wrong, ${canary} too` } as never;
    },
    plan(spec, facts) {
      planned.push(spec, facts);
      return {
        reason: 'Missing',
        message: '',
        steps: [{ step: 'make', why: '', args: spec }],
        status: undefined,
      };
    },
    steps: {
      async make(args: unknown) {
        made.push(args);
        throw new QuorateError('KUBE_REFUSED', `the value "${canary}" is too long`);
      },
    },
  });
  const decision = await pass(kube, engine);
  assert.deepEqual(made, [{ count: 1, someEnv: [{ name: 'PASSWORD', value: canary }] }]);
  assert.equal(decision.error?.code, 'KUBE_REFUSED');
  assert.doesNotMatch(JSON.stringify([planned, decision]), /canary/);
  assert.match(JSON.stringify(decision.facts), /exit code 1: \(secret [0-9a-f]{4}-[0-9a-f]{16}\) is wrong/);
});

test('a plan that asks for the time ends its pass, before anything is done', async () => {
  const kube = kubeWith({ count: 1 });
  const plan = () => {
    throw new Error(String(Date.now()));
  };
  const decision = await pass(kube, counterEngine({ plan }));
  assert.deepEqual([decision.error?.code, decision.error?.retryable], ['PLAN_IMPURE', false]);
  assert.deepEqual(kube.writes, []);
});
