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
  services: Answer<ShapedFact[]>;
  budgets: Answer<ShapedFact[]>;
  /** What each running pod's etcd answered, by pod name. */
  members: Record<string, MemberFact>;
  /** The nodes of pods that are not ready or do not answer, by name; `null` where there is none of that name. */
  nodes: Record<string, Answer<NodeFact | null>>;
}

export interface ResourceFact {
  uid: string;
  resourceVersion: string;
  createdAtMs: number;
  deleting: boolean;
  /** It is deleted with `--cascade=orphan`: Kubernetes is about to take its name off all that it owns. */
  orphaning: boolean;
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
  resourceVersion: string;
  ip: string | null;
  /** Where it was put; `null` before that. */
  nodeName: string | null;
  phase: string;
  ready: boolean;
  /** The version it was made for, or was last changed to. */
  version: string;
  /** The image of its etcd, as it was asked for. */
  image: string;
  /** Its container has been started, once or more. */
  hasRun: boolean;
  /** Names the run of its container: every start of the process has another one. */
  containerId: string | null;
  /** The run that its version was changed in; while that lasts, its container has not been restarted yet. */
  changedFrom: string | null;
  claimName: string | null;
  /** What of the spec it was made for; `null` on pods of before this was noted. */
  madeFor: string | null;
  /** What of `spec.pod` it was made with; `null` on pods of before this was noted. */
  madeWith: MadeWith | null;
  /** Why its container waits or ended, as the kubelet says. */
  trouble: string | null;
  /** The same for people, by cause and with its time. */
  hindrance: Hindrance | null;
  /** By when it should have ended, if it is being deleted. */
  endsByMs: number | null;
}

export interface MadeWith {
  /** The digest of each part of the spec. */
  parts: Record<string, string>;
  /** The variables of its container that were asked for. */
  env: unknown[];
}

/** What keeps a pod from running well, in Kubernetes' own words. */
export interface Hindrance {
  reason: 'Unschedulable' | 'ImagePull' | 'ContainerFailing' | 'PodFailed';
  words: string;
  sinceMs: number;
  /** Its container runs again since then, and may have got over it. */
  runsSinceMs: number | null;
}

export interface ClaimFact extends OwnedFact {
  resourceVersion: string;
  phase: string;
  createdAtMs: number;
  /** `null`: the default one. */
  storageClass: string | null;
  madeFor: string | null;
}

/** An object of which only a part matters. */
export interface ShapedFact extends OwnedFact {
  /** What of it matters, in a form that can be compared with what is wanted. */
  shape: string;
}

export interface NodeFact {
  ready: boolean;
  /** Why it is not ready, in Kubernetes' own words. */
  words: string;
  sinceMs: number;
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

/** Its version was changed, and Kubernetes still tells of the container of before: it is about to be not ready. */
export const isBeforeChange = ({ changedFrom, containerId }: PodFact): boolean =>
  changedFrom !== null && changedFrom === containerId;

/** A claim that still keeps its data, and will. */
export const isKept = (claim: ClaimFact | undefined): boolean =>
  claim !== undefined && !claim.deleting && claim.phase !== 'Lost';
