import type { Blocked, Step } from '../../engine/contract.ts';
import type { Behaves } from './behaviour.ts';
import type { ClaimFact, EtcdFacts, PodFact, ResourceFact, ShapedFact } from './facts.ts';
import type { Identity } from './identity.ts';
import { memberName, memberNumber } from './names.ts';
import type { ClusterIdentity } from './objects.ts';
import type { EtcdSpec } from './resource.ts';
import { type Membership, membershipOf, owned, ownedClaims, ownedPods } from './view.ts';

/** Everything a situation may look at: the facts of a cluster that exists and whose objects could be read. */
export interface World {
  /** As wanted, but for the version, which is the recorded one. */
  spec: EtcdSpec;
  wantedVersion: string;
  facts: EtcdFacts;
  resource: ResourceFact;
  cluster: ClusterIdentity;
  /** What is recorded; `undefined` before the first member. */
  identity: Identity | undefined;
  /** Pods, claims, services and disruption budgets that this very resource owns. */
  pods: PodFact[];
  claims: ClaimFact[];
  services: ShapedFact[];
  budgets: ShapedFact[];
  /** As a quorum vouches for it; `undefined` without one. */
  membership: Membership | undefined;
  nowMs: number;
  /** Whether to decide something as this version does, or as an older one did. */
  behaves: Behaves;
}

/** A world whose membership a quorum vouches for. */
export interface QuorateWorld extends World {
  membership: Membership;
}

/** What a situation decides. Without steps it waits for an event or for `requeueAfterMs`. */
export interface Decided {
  message: string;
  steps?: Step[];
  requeueAfterMs?: number;
  blocked?: Blocked;
}

/** One named situation: decides, or answers `undefined` when the world is not in it. */
export interface Situation<Where = World> {
  reason: string;
  decide(world: Where): Decided | undefined;
}

export function worldOf(
  spec: EtcdSpec,
  facts: EtcdFacts,
  resource: ResourceFact,
  nowMs: number,
  behaves: Behaves,
): World {
  const { identity } = resource;
  const recorded = identity.state === 'recorded' ? identity.identity : undefined;
  return {
    wantedVersion: spec.version,
    // Members run the version that is recorded; a changed spec.version is a decision of its own.
    spec: recorded ? { ...spec, version: recorded.version } : spec,
    facts,
    resource,
    cluster: { namespace: facts.namespace, name: facts.name, uid: resource.uid },
    identity: recorded,
    pods: ownedPods(facts, resource.uid),
    claims: ownedClaims(facts, resource.uid),
    services: owned(facts.services, resource.uid),
    budgets: owned(facts.budgets, resource.uid),
    membership: membershipOf(facts, resource.uid),
    nowMs,
    behaves,
  };
}

/** The highest member number that was given or is seen anywhere. */
export function highestNumber(world: World): number {
  const names = [
    ...world.pods.map((pod) => pod.name),
    ...world.claims.map((claim) => claim.name),
    ...(world.membership?.members.map((member) => member.name) ?? []),
  ];
  const numbers = names.map((name) => memberNumber(world.cluster.name, name) ?? 0);
  return Math.max(0, world.identity?.lastNumber ?? 0, ...numbers);
}

export const podOf = (world: World, number: number): PodFact | undefined =>
  world.pods.find((pod) => pod.name === memberName(world.cluster.name, number));

export const claimOf = (world: World, number: number): ClaimFact | undefined =>
  world.claims.find((claim) => claim.name === memberName(world.cluster.name, number));
