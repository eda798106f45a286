import type { Answer, Step } from '../../../engine/contract.ts';
import type { EtcdFacts, OwnedFact } from '../facts.ts';
import type { DeleteObject } from '../steps/objects.ts';
import { byName } from '../view.ts';
import type { Decided } from '../world.ts';

/** Deleting whole clusters: pods first, so that no etcd loses its disk while it runs, then claims, then the rest. */

/**
 * The cluster's resource is gone or going: everything it owned follows. Kubernetes' garbage collector does the
 * same without order; whoever comes second finds nothing left. Objects that were orphaned on purpose have no
 * owner and stay.
 */
export function goneDecision(facts: EtcdFacts): Decided {
  if (facts.resource?.orphaning) {
    return { message: 'the resource is deleted without what it owns, which stays', requeueAfterMs: 1000 };
  }
  const uid = facts.resource?.uid;
  const tier = firstTier(facts, ({ ownerUid }) => (uid === undefined ? ownerUid !== null : ownerUid === uid));
  if (!tier) return { message: 'the resource is deleted and nothing of it is left' };
  return {
    message: `the resource is deleted: ${tier.objects.length} ${tier.type}(s) to go before the rest`,
    steps: deletions(tier, 'its cluster is deleted'),
    requeueAfterMs: 1000,
  };
}

export interface Tier {
  type: DeleteObject['type'];
  objects: OwnedFact[];
}

/** The objects that must go before all others, of those that `which` picks. */
export function firstTier(facts: EtcdFacts, which: (object: OwnedFact) => boolean): Tier | undefined {
  const pick = (answer: Answer<OwnedFact[]>) => (answer.ok ? answer.value.filter(which).sort(byName) : []);
  const tiers: Tier[] = [
    { type: 'pod', objects: pick(facts.pods) },
    { type: 'claim', objects: pick(facts.claims) },
    { type: 'service', objects: pick(facts.services) },
    { type: 'budget', objects: pick(facts.budgets) },
  ];
  return tiers.find((tier) => tier.objects.length > 0);
}

const stepNames = {
  pod: 'deletePod',
  claim: 'deleteClaim',
  service: 'deleteService',
  budget: 'deleteBudget',
} as const;

/** A step for each object of the tier that is not being deleted yet. */
export const deletions = ({ type, objects }: Tier, why: string): Step[] =>
  objects
    .filter((object) => !object.deleting)
    .map((object): Step => {
      const args: DeleteObject = { type, name: object.name, uid: object.uid };
      return { step: stepNames[type], why: `${type} ${object.name}: ${why}`, args };
    });
