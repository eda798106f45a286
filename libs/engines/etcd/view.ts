import type { EtcdMember } from './client/client.ts';
import { type ClaimFact, type EtcdFacts, isKept, type MemberFact, type PodFact } from './facts.ts';
import { clientPort, memberNumber, nameFromPeerUrls } from './names.ts';

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
  /** Answering, and for a voter: reaches quorum. */
  healthy: boolean;
}

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
 * The membership that a quorum vouches for, or `undefined` when no member proved that it reaches one.
 * Only pods of `uid` count.
 */
export function membershipOf(facts: EtcdFacts, uid: string): Membership | undefined {
  const vouching = ownedPods(facts, uid)
    .map((pod) => facts.members[pod.name])
    .filter((fact): fact is MemberFact => fact?.quorum.ok === true && fact.members.ok);
  const source = vouching.find(isLeader) ?? vouching[0];
  return source?.members.ok ? assemble(facts, uid, source.members.value) : undefined;
}

/**
 * The members as any one of them remembers them. Without quorum this may be out of date: good enough to say
 * what is missing, never to change anything.
 */
export function rememberedMembers(facts: EtcdFacts, uid: string): Member[] | undefined {
  for (const pod of ownedPods(facts, uid)) {
    const members = facts.members[pod.name]?.members;
    if (members?.ok) return assemble(facts, uid, members.value).members;
  }
  return undefined;
}

export const ownedPods = (facts: EtcdFacts, uid: string): PodFact[] =>
  facts.pods.ok ? facts.pods.value.filter((pod) => pod.ownerUid === uid) : [];

export const ownedClaims = (facts: EtcdFacts, uid: string): ClaimFact[] =>
  facts.claims.ok ? facts.claims.value.filter((claim) => claim.ownerUid === uid) : [];

const isLeader = (fact: MemberFact): boolean =>
  fact.status.ok && fact.status.value.leaderId === fact.status.value.memberId;

function assemble(facts: EtcdFacts, uid: string, listed: EtcdMember[]): Membership {
  const pods = ownedPods(facts, uid);
  const claims = ownedClaims(facts, uid);
  const members = listed.map((member): Member => {
    const name = nameFromPeerUrls(member.peerUrls);
    const fact = facts.members[name];
    const answering = fact?.status.ok === true && fact.status.value.memberId === member.id;
    return {
      id: member.id,
      name,
      number: memberNumber(facts.name, name),
      peerUrl: [...member.peerUrls].sort()[0] ?? '',
      started: member.clientUrls.length > 0,
      isLearner: member.isLearner,
      isLeader: answering && isLeader(fact),
      pod: pods.find((pod) => pod.name === name),
      claim: claims.find((claim) => claim.name === name),
      answering,
      healthy: answering && (member.isLearner || fact.quorum.ok),
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
    version: lowestVersion(Object.values(facts.members)),
  };
}

/** Where the member's process listens at present. */
export const endpointOf = (member: Member): string | undefined =>
  member.pod?.ip ? `${member.pod.ip}:${clientPort}` : undefined;

/** Its data is still there: it runs, or its claim keeps the data for its return. */
export const hasData = (member: Member): boolean =>
  member.pod === undefined ? isKept(member.claim) : !isDataGone(member.pod);

/**
 * etcd's own word that a member which should return found an empty folder: with only itself in its initial
 * cluster it looks for the others in vain (see `Start` in objects.ts).
 */
export const isDataGone = (pod: PodFact): boolean =>
  /cannot fetch cluster info from peer urls/.test(pod.trouble ?? '');

function lowestVersion(facts: MemberFact[]): string {
  const versions = facts.flatMap((fact) => (fact.status.ok ? [fact.status.value.version] : []));
  return versions.sort(compareVersions)[0] ?? '';
}

/** Orders versions by major, minor and patch number. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.+-]/, 3).map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
