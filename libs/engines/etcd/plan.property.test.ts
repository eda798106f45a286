import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Plan } from '../../engine/contract.ts';
import { messageOf } from '../../errors/catalogue.ts';
import type { EtcdFacts } from './facts.ts';
import { plan } from './plan.ts';
import { etcdSpec } from './resource.ts';
import { calm, type Disturbance, disturb, disturbances } from './simulate/disturb.ts';
import { factsOf } from './simulate/facts.ts';
import { createModel, type Model } from './simulate/model.ts';
import { modelFrom } from './simulate/model-from.ts';
import { isQuorumPossible, quorumConfig } from './simulate/raft.ts';
import { runPass } from './simulate/run.ts';
import { tick } from './simulate/tick.ts';
import { isSameVersion } from './versions.ts';

// The same stories each time, so that a failure is about the change at hand. To look for new ones:
// SEED=$RANDOM RUNS=20000 npx node --test libs/engines/etcd/plan.property.test.ts
const seed = Number(process.env['SEED'] ?? 1);
const numRuns = Number(process.env['RUNS'] ?? 300);
const passesToGoal = 150;

const disturbance: fc.Arbitrary<Disturbance> = fc.record({
  kind: fc.constantFrom(...(Object.keys(disturbances) as Disturbance['kind'][])),
  pick: fc.nat(1000),
  ticks: fc.integer({ min: 1, max: 8 }),
});

/** A moment of a story: something happens, time passes, or a pass runs, perhaps not to its end. */
const moment = fc.oneof(
  { weight: 2, arbitrary: fc.record({ what: fc.constant('disturbance' as const), disturbance }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('tick' as const) }) },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('pass' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('interrupted pass' as const),
      crashAfter: fc.option(fc.nat(4), { nil: undefined }),
      meanwhile: fc.array(disturbance, { maxLength: 2 }),
    }),
  },
);

const story = fc.record({
  size: fc.integer({ min: 1, max: 5 }),
  withClaims: fc.boolean(),
  version: fc.constantFrom('3.2.13', '3.4.23', '3.5.16'),
  /** Ticks and passes before anything is disturbed. */
  head: fc.integer({ min: 0, max: 20 }),
  moments: fc.array(moment, { maxLength: 60, size: 'max' }),
});
type Story = typeof story extends fc.Arbitrary<infer Value> ? Value : never;

/** Tells the story; calls `inspect` before every pass. Answers the model and what happened in it, line by line. */
function tell(
  { size, withClaims, moments, head, version }: Story,
  inspect: (model: Model) => void = () => {},
): { model: Model; trace: string[] } {
  const pod = withClaims ? { pod: { persistentVolumeClaimSpec: {} } } : {};
  const model = createModel(etcdSpec.parse({ size, version, ...pod }));
  const trace: string[] = [];
  const pass = (options?: Parameters<typeof runPass>[1]) => {
    inspect(model);
    trace.push(...runPass(model, options).trace);
  };
  for (let count = 0; count < head; count++) {
    pass();
    tick(model);
  }
  for (const each of moments) {
    if (each.what === 'tick') tick(model);
    else if (each.what === 'disturbance') {
      trace.push(`* ${JSON.stringify(each.disturbance)}`);
      disturb(model, each.disturbance);
    } else if (each.what === 'pass') pass();
    else {
      trace.push(`* interrupted ${JSON.stringify(each)}`);
      pass(each);
    }
    if (model.violations.length > 0) break;
  }
  return { model, trace };
}

function check(property: fc.IProperty<[Story]>): void {
  fc.assert(property, {
    seed,
    numRuns,
    reporter(result) {
      if (!result.failed) return;
      const rerun = `SEED=${seed} RUNS=${numRuns} npx node --test libs/engines/etcd/plan.property.test.ts`;
      throw new Error(
        `${messageOf(result.errorInstance)}\n${fc.defaultReportMessage(result)}\nRun it again: ${rerun}`,
      );
    },
  });
}

test('whatever happens, no plan breaks a rule and no acknowledged data is lost', () => {
  check(
    fc.property(story, (told) => {
      const { model, trace } = tell(told);
      assert.deepEqual(model.violations, [], trace.join('\n'));
    }),
  );
});

test('when the disturbances end, the goal is reached, or the plan is blocked and touches nothing', () => {
  check(
    fc.property(story, (told) => {
      const { model, trace } = tell(told);
      trace.push('* calm');
      calm(model);
      let last: Plan | undefined;
      for (let pass = 0; pass < passesToGoal && !(last && isAtGoal(model, last)); pass++) {
        tick(model);
        const done = runPass(model);
        last = done.plan;
        trace.push(...done.trace);
      }
      const said = trace.filter((line, index) => line !== trace[index - 1]).join('\n');
      assert.deepEqual(model.violations, [], said);
      assert.ok(last, 'no pass ran');
      if (isAtGoal(model, last)) return;
      assert.ok(!isQuorumPossible(model), `the goal is not reached\n${said}`);
      assert.ok(last.blocked, `quorum is lost for good, but the plan is not blocked\n${said}`);
      assert.deepEqual(last.steps, [], said);
    }),
  );
});

/** Size and version are reached, all members are healthy, nothing is left over, and the plan says so. */
function isAtGoal(model: Model, { reason, steps, blocked }: Plan): boolean {
  const isVersionReached = model.pods.every(({ version }) => isSameVersion(version, model.spec.version));
  // A version that no rule allows, or one that fewer than three members cannot be brought to.
  const isVersionBlocked =
    blocked !== undefined && (reason === 'VersionRefused' || (reason === 'Upgrading' && model.spec.size < 3));
  const names =
    quorumConfig(model)
      ?.map((member) => member.name)
      .sort() ?? [];
  return (
    (isVersionReached ? reason === 'Healthy' : isVersionBlocked) &&
    steps.length === 0 &&
    names.length === model.spec.size &&
    model.pods.every((pod) => pod.isUp) &&
    names.join() ===
      model.pods
        .map((pod) => pod.name)
        .sort()
        .join() &&
    model.claims.every((claim) => names.includes(claim.name) && !claim.deleting) &&
    model.services.length === 2 &&
    model.budgets.length === 1
  );
}

test('the plan depends on the facts alone, not on their order or on how they were stored', () => {
  check(
    fc.property(story, (told) => {
      tell(told, (model) => {
        const facts = factsOf(model);
        const planned = plan(model.spec, facts, model.nowMs);
        assert.deepEqual(plan(model.spec, reversed(facts), model.nowMs), planned);
        const stored = JSON.parse(JSON.stringify([model.spec, facts])) as [typeof model.spec, EtcdFacts];
        assert.deepEqual(plan(...stored, model.nowMs), planned);
      });
    }),
  );
});

test('what is observed of a cluster with quorum is enough for a model of it that is planned for alike', () => {
  check(
    fc.property(story, (told) => {
      tell(told, (model) => {
        const facts = factsOf(model);
        // One that works and that only we cannot reach looks as if it were down.
        if (!quorumConfig(model) || model.pods.some((pod) => pod.hiddenTicks > 0)) return;
        const copy = modelFrom(model.spec, facts, model.nowMs);
        assert.ok(copy);
        const planned = plan(model.spec, facts, model.nowMs);
        assert.deepEqual(plan(model.spec, factsOf(copy), model.nowMs), planned);
      });
    }),
  );
});

/** The same facts with every list and every table the other way round. */
function reversed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(reversed).reverse() as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, reversed(inner)])
      .reverse(),
  ) as Value;
}
