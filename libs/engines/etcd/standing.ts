import type { Step } from '../../engine/contract.ts';
import { budgetShape, disruptionBudget, hasOtherLimit, minAvailable } from './budget.ts';
import type { OwnedFact, ShapedFact } from './facts.ts';
import { clientService, headlessService, serviceShape } from './objects.ts';
import { deletions } from './situations/death.ts';
import type { ApplyObject } from './steps/objects.ts';
import type { Decided, World } from './world.ts';

/**
 * What stands in Kubernetes as long as the cluster does, whatever else is the matter: both its services, and its
 * disruption budget from the time when it has formed. What is missing or was changed is put back.
 */

/** Steps for the services that are missing or differ from what is wanted. */
export function mendServices(world: World, wanted: ('headless' | 'client')[]): Step[] {
  return wanted.flatMap((which) => {
    const service = which === 'headless' ? headlessService(world.cluster) : clientService(world.cluster);
    const { name } = service.metadata;
    const present = named(world.services, name);
    if (!needsMending(present, serviceShape(service))) return [];
    const purpose =
      which === 'headless'
        ? 'it gives the members their names'
        : 'clients reach the ready members through it';
    const change = present ? 'put back, because it differed from what is needed' : 'made';
    const args: Partial<ApplyObject> = {
      ...(world.behaves('disruptionBudget') && { type: 'service' }),
      object: service,
    };
    return [{ step: 'applyService', why: `service ${name}: ${change}; ${purpose}`, args }];
  });
}

/** The steps for the disruption budget; none without quorum, since nobody knows then who the members are. */
function mendBudget(world: World, steps: Step[]): Step[] {
  if (!world.membership || !world.behaves('disruptionBudget')) return [];
  const least = minAvailable(world, world.membership, steps);
  const budget = disruptionBudget(world.cluster, least);
  const { name } = budget.metadata;
  const present = named(world.budgets, name);
  if (!needsMending(present, budgetShape(budget))) return [];
  const others = present && hasOtherLimit(present.shape) ? [present] : [];
  const why = `disruption budget ${name}: ${least} pods must stay ready, so that no drain of nodes takes quorum away`;
  const args: ApplyObject = { type: 'budget', object: budget };
  return [
    ...deletions({ type: 'budget', objects: others }, 'it has another kind of limit, and is made again'),
    { step: 'applyBudget', why, args },
  ];
}

const named = <Fact extends OwnedFact>(facts: Fact[], name: string): Fact | undefined =>
  facts.find((fact) => fact.name === name);

const needsMending = (present: ShapedFact | undefined, shape: string): boolean =>
  !present || (!present.deleting && present.shape !== shape);

/** Adds what a formed cluster lacks of all this to what was decided. */
export function withStanding(world: World, decided: Decided): Decided {
  const { steps = [] } = decided;
  const services = mendServices(world, ['headless', 'client']);
  const budget = mendBudget(world, steps);
  if (services.length + budget.length === 0) return decided;
  // Before a membership change, because that is what it guards; else last, so that it holds up no healing.
  const isFirst = steps.some((step) => step.disruptive);
  return { ...decided, steps: [...services, ...(isFirst ? [...budget, ...steps] : [...steps, ...budget])] };
}
