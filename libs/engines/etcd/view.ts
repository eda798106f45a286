import type { Answer } from '../../engine/contract.ts';
import type { EtcdMember } from './client/client.ts';
import {
  type ClaimFact,
  type EtcdFacts,
  isBeforeChange,
  isKept,
  type MemberFact,
  type OwnedFact,
  type PodFact,
} from './facts.ts';
import { clientPort, memberNumber, nameFromPeerUrls } from './names.ts';
import { isSameVersion, lowestVersion } from './versions.ts';

/** The facts put together: etcd's list of members, each with its pod, its claim and what it answered. */

export interface Member {
  id: string;
  /** The name its peer URL gives it, which is also that of its pod and claim. */
  name: string;
  /** `undefined` for a member that somebody added under a name that is none of ours. */
  number: number | undefined;
  peerUrl: string;
  /** It has run and published its client URL. */
  started: boolean;
  isLearner: boolean;
  isLeader: boolean;
  pod: PodFact | undefined;
  claim: ClaimFact | undefined;
  /** Its process answers, and it is the member that etcd lists. */
  answering: boolean;
  /** Answering and not about to end, and for a voter: reaches quorum. */
  healthy: boolean;
  /** Its version was changed, and it still is what it was before: it ends at any moment. */
  changing: boolean;
  /** The version that it says it runs; `undefined` while it does not answer. */
  runs: string | undefined;
  /** The version that its pod was made for or last changed to; `undefined` where no pod says so. */
  assigned: string | undefined;
}

/** A member that has a pod. */
export type PodMember = Member & { pod: PodFact };

export interface Membership {
  members: Member[];
  voters: Member[];
  learners: Member[];
  /** Voters that are healthy. */
  healthy: Member[];
  /** `host:port` of the healthy voters, the leader first. */
  endpoints: string[];
  /** The lowest version that a member says it runs, e.g. "3.4.23". */
  version: string;
}

/** A majority of `voters`: the least number that must agree. */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/**
 * The membership that a quorum vouches for, or `undefined` when no member proved that it reaches one, or when
 * those who did do not agree. Only pods of `uid` count.
 */
export function membershipOf(facts: EtcdFacts, uid: string): Membership | undefined {
  const vouching = vouchingMembers(facts, uid);
  if (membersDisagree(facts, uid)) return undefined;
  const source = vouching.find(isLeader) ?? vouching[0];
  if (!source?.members.ok || !source.status.ok) return undefined;
  return assemble(facts, uid, source.members.value, source.status.value.leaderId);
}

/** Those that proved that they reach a quorum, and told who its members are. */
const vouchingMembers = (facts: EtcdFacts, uid: string): MemberFact[] =>
  ownedPods(facts, uid)
    .map((pod) => facts.members[pod.name])
    .filter((fact): fact is MemberFact => fact?.quorum.ok === true && fact.members.ok);

/**
 * Whether members that each reach a quorum list different members. For a moment that is a change just made by
 * somebody else; if it lasts, there are two clusters, as after a restore by hand, and none may be picked.
 */
export function membersDisagree(facts: EtcdFacts, uid: string): boolean {
  const lists = vouchingMembers(facts, uid).map(({ members }) =>
    (members.ok ? members.value : [])
      .map((member) => `${member.id} ${member.isLearner}`)
      .sort()
      .join(),
  );
  return new Set(lists).size > 1;
}

/**
 * The members as those who answer remember them. Without quorum this may be out of date, so it is good enough to
 * say what is missing, never to change anything; where they differ, the list that misses most counts.
 */
export function rememberedMembers(facts: EtcdFacts, uid: string): Member[] | undefined {
  const lists = ownedPods(facts, uid).flatMap((pod) => {
    const members = facts.members[pod.name]?.members;
    return members?.ok ? [assemble(facts, uid, members.value, undefined)] : [];
  });
  return lists.sort((a, b) => shortfall(b) - shortfall(a))[0]?.members;
}

/** How many more voters must answer for a quorum. */
const shortfall = ({ voters }: Membership): number =>
  quorumOf(voters.length) - voters.filter((voter) => voter.answering).length;

/** Sorted by name, so that nothing depends on the order of a list. */
export function owned<Fact extends OwnedFact>(answer: Answer<Fact[]>, uid: string): Fact[] {
  const facts = answer.ok ? answer.value.filter((fact) => fact.ownerUid === uid) : [];
  return facts.sort(byName);
}

export const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

export const ownedPods = (facts: EtcdFacts, uid: string): PodFact[] => owned(facts.pods, uid);

export const ownedClaims = (facts: EtcdFacts, uid: string): ClaimFact[] => owned(facts.claims, uid);

const isLeader = (fact: MemberFact): boolean =>
  fact.status.ok && fact.status.value.leaderId === fact.status.value.memberId;

/** `leaderId`: as one who reaches quorum knows it, for the leader itself may not answer us. */
function assemble(
  facts: EtcdFacts,
  uid: string,
  listed: EtcdMember[],
  leaderId: string | undefined,
): Membership {
  const pods = ownedPods(facts, uid);
  const claims = ownedClaims(facts, uid);
  const members = listed.map((member): Member => {
    const name = nameFromPeerUrls(member.peerUrls);
    const fact = facts.members[name];
    const pod = pods.find((candidate) => candidate.name === name);
    const answering = fact?.status.ok === true && fact.status.value.memberId === member.id;
    const runs = fact?.status.ok && answering ? fact.status.value.version : undefined;
    const changing = runs !== undefined && isAboutToChange(pod, runs);
    return {
      id: member.id,
      name,
      number: memberNumber(facts.name, name),
      peerUrl: [...member.peerUrls].sort()[0] ?? '',
      started: member.clientUrls.length > 0,
      isLearner: member.isLearner,
      isLeader: member.id === leaderId,
      pod,
      claim: claims.find((claim) => claim.name === name),
      answering,
      healthy: answering && !changing && (member.isLearner || fact.quorum.ok),
      changing,
      runs,
      assigned: pod?.version || runs,
    };
  });
  members.sort((a, b) => (a.number ?? 0) - (b.number ?? 0) || (a.id < b.id ? -1 : 1));
  const voters = members.filter((member) => !member.isLearner);
  const healthy = voters.filter((member) => member.healthy);
  return {
    members,
    voters,
    learners: members.filter((member) => member.isLearner),
    healthy,
    endpoints: [...healthy]
      .sort((a, b) => Number(b.isLeader) - Number(a.isLeader))
      .flatMap((member) => endpointOf(member) ?? []),
    version: lowestVersion(members.flatMap((member) => member.runs ?? [])) ?? '',
  };
}

/** Its image was changed, and the container of before the change still runs. */
const isAboutToChange = (pod: PodFact | undefined, runs: string): boolean =>
  pod !== undefined && isBeforeChange(pod) && !isSameVersion(pod.version, runs);

/** Where the member's process listens at present. */
export const endpointOf = (member: Member): string | undefined =>
  member.pod?.ip ? `${member.pod.ip}:${clientPort}` : undefined;

/** Its data is still there: it runs, or its claim keeps the data for its return. */
export function hasData({ pod, claim, answering }: Member): boolean {
  if (pod === undefined) return isKept(claim);
  if (answering) return true;
  const isClaimGone = pod.claimName !== null && (claim === undefined || claim.phase === 'Lost');
  return !isClaimGone && !isDataGone(pod);
}

/**
 * etcd's own word that a member found an empty folder and could not begin with it. One that should return looks
 * for the others in vain, since its initial cluster is only itself (see `Start` in member-pod.ts); a seed learns
 * from the others that it has been a member before; a newcomer, that its initial cluster is out of date.
 */
export const isDataGone = (pod: PodFact): boolean =>
  /cannot fetch cluster info from peer urls|has already been bootstrapped|error validating peerURLs/.test(
    pod.trouble ?? '',
  );
