import type { Hindrance, ShapedFact } from '../facts.ts';
import type { ClusterIdentity } from '../objects.ts';
import type { EtcdSpec } from '../resource.ts';

/**
 * A model of an etcd cluster on Kubernetes, small and in memory: what is true, not what anybody observes. Time
 * passes only by `tick`, so a run is repeatable. It leaves out what no plan depends on: keys and values are a
 * number of log entries, elections take no time, and one quorum's members always see the same.
 */
export interface Model {
  spec: EtcdSpec;
  nowMs: number;
  cluster: ClusterIdentity;
  /** What is left of the custom resource; each change of it raises `resourceVersion`. */
  resource: 'there' | 'deleting' | 'gone';
  resourceVersion: number;
  createdAtMs: number;
  identity: string | undefined;
  pods: SimulatedPod[];
  claims: SimulatedClaim[];
  services: ShapedFact[];
  budgets: ShapedFact[];
  /** How many uids, addresses and member ids were given. */
  given: number;
  leaderId: string | undefined;
  /** The lowest version of all members, by its minor version; it rises by itself and never falls. */
  clusterVersion: string | undefined;
  /** How many log entries clients were told are safe. */
  acknowledged: number;
  /** For how many ticks new pods are not scheduled. */
  unschedulableTicks: number;
  /** For how many ticks the kubelet does not see changed images. */
  slowTicks: number;
  /** How many more membership changes etcd refuses as "unhealthy cluster". */
  refusals: number;
  /** Rules that were broken, in words. */
  violations: string[];
  /** Ids that ever had a disk, by member number: who held data under a name. */
  held: Map<string, Set<string>>;
}

export interface SimulatedMember {
  id: string;
  name: string;
  peerUrl: string;
  started: boolean;
  isLearner: boolean;
}

/** What a member keeps on its volume. */
export interface Disk {
  memberId: string;
  /** How many entries its log has. */
  log: number;
  /** The members as of its last entry. */
  config: SimulatedMember[];
}

export interface SimulatedPod {
  name: string;
  uid: string;
  ownerUid: string | null;
  deleting: boolean;
  ip: string | null;
  phase: string;
  /** What it was made for or last changed to: its image. */
  version: string;
  image: string;
  madeFor: string | null;
  /** What its container was started with. */
  runs: string;
  /** The version that its process says, where that is not what its image's tag promises. */
  reports: string | null;
  containerId: string | null;
  changedFrom: string | null;
  trouble: string | null;
  hindrance: Hindrance | null;
  /** Something outside keeps it as it is: it neither starts nor ends before that is mended. */
  isStuck: boolean;
  claimName: string | null;
  /** How etcd begins on an empty disk: `new` or `existing`, with these peer URLs. */
  initialState: string;
  initialUrls: string[];
  peerUrl: string;
  /** The pod's own volume, where it has no claim. */
  disk: Disk | undefined;
  isUp: boolean;
  hasRun: boolean;
  /** Ticks for which the process is stopped as by SIGSTOP. */
  frozenTicks: number;
  /** Ticks for which it works but we get no answer from it. */
  hiddenTicks: number;
}

export interface SimulatedClaim {
  name: string;
  uid: string;
  ownerUid: string | null;
  deleting: boolean;
  phase: string;
  madeFor: string | null;
  disk: Disk | undefined;
}

export function createModel(spec: EtcdSpec): Model {
  return {
    spec,
    nowMs: 1_000_000,
    cluster: { namespace: 'default', name: 'example', uid: 'cluster-uid' },
    resource: 'there',
    resourceVersion: 1,
    createdAtMs: 1_000_000,
    identity: undefined,
    pods: [],
    claims: [],
    services: [],
    budgets: [],
    given: 0,
    leaderId: undefined,
    clusterVersion: undefined,
    acknowledged: 0,
    unschedulableTicks: 0,
    slowTicks: 0,
    refusals: 0,
    violations: [],
    held: new Map(),
  };
}

/** A uid, address or member id that was never given before. */
export const nextOf = (model: Model): number => ++model.given;

export const claimOfPod = (model: Model, pod: SimulatedPod): SimulatedClaim | undefined =>
  model.claims.find((claim) => claim.name === pod.claimName);

export const diskOf = (model: Model, pod: SimulatedPod): Disk | undefined =>
  pod.claimName === null ? pod.disk : claimOfPod(model, pod)?.disk;

export const isFormed = (model: Model): boolean => /"formed":true/.test(model.identity ?? '');
