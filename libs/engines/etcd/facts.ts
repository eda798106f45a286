import type { Answer } from '../../engine/contract.ts';
import type { EtcdMember } from './client/client.ts';
import type { IdentityFact } from './identity.ts';

/** The facts of one EtcdCluster: what Kubernetes and the members themselves answered in one observation. */
export interface EtcdFacts {
  namespace: string;
  name: string;
  /** `null`: the API positively says that the resource does not exist. */
  resource: ResourceFact | null;
  pods: Answer<PodFact[]>;
  claims: Answer<ClaimFact[]>;
  services: Answer<ServiceFact[]>;
  /** What each running pod's etcd answered, by pod name. */
  members: Record<string, MemberFact>;
}

export interface ResourceFact {
  uid: string;
  resourceVersion: string;
  createdAtMs: number;
  deleting: boolean;
  identity: IdentityFact;
}

/** Who owns an object, by its controlling owner reference. */
export interface OwnedFact {
  name: string;
  uid: string;
  /** The uid of the owning EtcdCluster; `null` where nothing or something else owns it. */
  ownerUid: string | null;
  deleting: boolean;
}

export interface PodFact extends OwnedFact {
  /** Where its etcd can be asked; `null` while it has no address, or its container has ended. */
  ip: string | null;
  phase: string;
  ready: boolean;
  /** The version it was made for. */
  version: string;
  claimName: string | null;
  /** Why its container waits or ended, as the kubelet says. */
  trouble: string | null;
}

export interface ClaimFact extends OwnedFact {
  phase: string;
}

export interface ServiceFact extends OwnedFact {
  /** What of it matters, in a form that can be compared with what is wanted. */
  shape: string;
}

export interface MemberFact {
  status: Answer<{
    memberId: string;
    clusterId: string;
    leaderId: string;
    version: string;
    isLearner: boolean;
    errors: string[];
  }>;
  /** Whether a linearizable read through this member succeeded: it reaches quorum. */
  quorum: Answer<true>;
  /** The members as this one lists them; with `quorum.ok` the list is at least as new as that read. */
  members: Answer<EtcdMember[]>;
}

/** A pod whose containers have ended for good. */
export const isFinished = (pod: PodFact): boolean => pod.phase === 'Failed' || pod.phase === 'Succeeded';

/** A claim that still keeps its data, and will. */
export const isKept = (claim: ClaimFact | undefined): boolean =>
  claim !== undefined && !claim.deleting && claim.phase !== 'Lost';
