import type { Plan } from '../../../engine/contract.ts';
import { plan as planOf } from '../plan.ts';
import { applyStep } from './act.ts';
import { type Disturbance, disturb } from './disturb.ts';
import { factsOf } from './facts.ts';
import type { Model } from './model.ts';
import { mayDrainQuorum } from './raft.ts';
import { brokenBefore, brokenRules } from './rules.ts';

/** One pass over the model: observe, plan, act. Notes every broken rule in the model. */
export function runPass(
  model: Model,
  options: { crashAfter?: number | undefined; meanwhile?: Disturbance[] } = {},
): { plan: Plan; trace: string[] } {
  const { crashAfter = Number.POSITIVE_INFINITY, meanwhile = [] } = options;
  const plan = planOf(model.spec, factsOf(model), model.nowMs);
  const trace = [`${plan.reason}: ${plan.message}`];
  model.violations.push(...brokenRules(model, plan));
  for (const disturbance of meanwhile) disturb(model, disturbance);
  for (const [index, step] of plan.steps.entries()) {
    if (index >= crashAfter) break;
    model.violations.push(...brokenBefore(model, step));
    const wasDrainable = mayDrainQuorum(model);
    const outcome = applyStep(model, step);
    // What others did since the plan was made, it could not know of.
    if (meanwhile.length === 0 && !wasDrainable && mayDrainQuorum(model))
      model.violations.push(`after ${step.step} a drain may take quorum away`);
    trace.push(`  ${step.step} ${outcome}: ${step.why}`);
    if (outcome === 'moved' || outcome === 'failed') break;
  }
  return { plan, trace };
}
