import type { Simulation } from '../../../engine/contract.ts';
import type { EtcdFacts } from '../facts.ts';
import type { EtcdSpec } from '../resource.ts';
import { applyStep } from './act.ts';
import { factsOf } from './facts.ts';
import { modelFrom } from './model-from.ts';
import { tick } from './tick.ts';

/** The model as a world to see ahead in, see `Engine.simulate`. A resource that is gone has no spec. */
export function simulate(
  spec: EtcdSpec | undefined,
  facts: EtcdFacts,
  nowMs: number,
): Simulation<EtcdFacts> | undefined {
  const model = modelFrom(spec, facts, nowMs);
  return (
    model && {
      facts: () => factsOf(model),
      nowMs: () => model.nowMs,
      act: (step) => applyStep(model, step),
      tick: () => tick(model),
    }
  );
}
