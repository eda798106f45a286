import type { Engine, Plan } from './contract.ts';
import { runPure } from './pure.ts';
import { notOurs } from './scope.ts';

/** What decides of an engine. It has no way to touch anything: what observes and acts is left out. */
export type Planner = Pick<Engine, 'name' | 'version' | 'resource' | 'plan'>;

/** All that a decision is made from; the record of the pass holds all of it. */
export interface Given {
  /** As in the resource or parsed already, with secrets hidden; `undefined` where there is no resource. */
  spec: unknown;
  /** The resource is being deleted. */
  deleting: boolean;
  /** Why the resource is left to another operator, where it is. */
  leftAlone?: string | undefined;
  facts: unknown;
  nowMs: number;
  /** The version of the engine to decide as. */
  version: number;
}

/**
 * Parses the spec and plans; pure, and made to be. A spec that the schema refuses is answered on the resource, and
 * nothing is done. Returns the spec that was planned for, too. Throws what the plan throws, and PLAN_IMPURE.
 */
export function decide(planner: Planner, given: Given): { spec: unknown; plan: Plan } {
  const { facts, nowMs, version } = given;
  if (given.leftAlone !== undefined) return { spec: given.spec, plan: notOurs(given.leftAlone) };
  const plan = (spec: unknown) => runPure(() => planner.plan(spec, facts, nowMs, version));
  if (given.spec === undefined) return { spec: undefined, plan: plan(undefined) };
  const read = planner.resource.spec.safeParse(given.spec);
  if (read.success) return { spec: read.data, plan: plan(read.data) };
  // A resource that is being deleted is deleted whatever its spec says.
  if (given.deleting) return { spec: given.spec, plan: plan(undefined) };
  const problems = read.error.issues.map((issue) => `${['spec', ...issue.path].join('.')}: ${issue.message}`);
  return { spec: given.spec, plan: invalidSpec(problems.join('; ')) };
}

const invalidSpec = (message: string): Plan => ({
  reason: 'InvalidSpec',
  message,
  steps: [],
  status: undefined,
  blocked: {
    rule: 'nothing is changed for a spec that cannot be understood',
    evidence: message,
    action: 'correct the named fields; the running cluster stays as it is until then',
  },
});
