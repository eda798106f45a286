import type { Blocked } from '../../../engine/contract.ts';
import { isFinished, isKept } from '../facts.ts';
import {
  createMember,
  deleteClaim,
  deletePod,
  moveLeader,
  promoteMember,
  recordNumber,
  removeMember,
} from '../make.ts';
import type { Start } from '../member-pod.ts';
import { health, mayPromote, mayRemove } from '../quorum.ts';
import { hasData, type Member, type Membership } from '../view.ts';
import type { Decided, QuorateWorld, Situation } from '../world.ts';

/** A formed cluster with quorum, whose members and Kubernetes objects do not fit together, or which changes. */

type MemberSituation = Situation<QuorateWorld>;

/** Pods that are gone although their member's data is kept, or which were never made for a learner just added. */
const memberReturning: MemberSituation = {
  reason: 'MemberReturning',
  decide(world) {
    const missing = world.membership.members.filter((member) => !member.pod && mayStart(member));
    if (missing.length === 0) return undefined;
    return {
      message: `${missing.map((member) => member.name).join(', ')}: no pod, but the data is kept or not needed yet`,
      steps: missing.flatMap((member) => {
        const why = member.started
          ? 'its claim keeps its data, so it returns'
          : 'it was added to the cluster and has not started';
        const number = member.number ?? 0;
        return [...recordNumber(world, number), ...createMember(world, number, startOf(world, member), why)];
      }),
      requeueAfterMs: 300,
    };
  },
};

/**
 * A member without a pod may be started when its data is kept, or when it is a learner that never ran: then no
 * vote of it can have been counted. Anything else that is empty would be a member with amnesia.
 */
const mayStart = (member: Member): boolean =>
  member.number !== undefined &&
  (isKept(member.claim) || (member.isLearner && !member.started && !member.claim?.deleting));

function startOf(world: QuorateWorld, member: Member): Start {
  if (member.started) return { as: 'returning' };
  return { as: 'joining', memberUrls: urlsOf(world.membership) };
}

export const urlsOf = (membership: Membership): Record<string, string> =>
  Object.fromEntries(membership.members.map((member) => [member.name, member.peerUrl]));

const podFinished: MemberSituation = {
  reason: 'PodFinished',
  decide(world) {
    const pod = world.pods.find((candidate) => isFinished(candidate) && !candidate.deleting);
    if (!pod) return undefined;
    const why = `pod ${pod.name}: it has ended for good (${pod.phase}${pod.trouble ? `, ${pod.trouble}` : ''}) and makes room for its successor`;
    return { message: why, steps: [deletePod(pod, why)], requeueAfterMs: 300 };
  },
};

/** A learner is the one membership change in flight; it is finished or given up before anything else is changed. */
const learner: MemberSituation = {
  reason: 'LearnerJoining',
  decide(world) {
    const { membership, spec } = world;
    const member = membership.learners[0];
    if (!member) return undefined;
    const surplus = membership.voters.length >= spec.size;
    const lost = !member.pod && !mayStart(member);
    const hinders = !member.healthy && membership.voters.some((voter) => !hasData(voter));
    if (surplus || lost || hinders || !hasData(member)) {
      const why = surplus
        ? `there are ${membership.voters.length} voting members and ${spec.size} are wanted`
        : hinders
          ? 'it does not answer, and a lost member must be replaced first'
          : 'its data is lost before it could vote';
      return removal(membership, member, `learner ${member.name}: ${why}`);
    }
    if (!member.healthy) {
      return { message: `learner ${member.name} is starting${troubleOf(member)}`, requeueAfterMs: 300 };
    }
    if (!mayPromote(membership)) {
      return {
        message: `learner ${member.name} waits for other members: ${health(membership)}`,
        requeueAfterMs: 1000,
      };
    }
    return {
      message: `learner ${member.name} is catching up and becomes a voting member`,
      steps: [
        promoteMember(
          membership,
          member,
          `learner ${member.name}: given a vote, because it answers and etcd finds that it has caught up`,
        ),
      ],
      requeueAfterMs: 300,
    };
  },
};

/**
 * A voting member that has not started yet: a late seed, or a newcomer where etcd has no learners. Like a learner
 * it is given up when it is not wanted any more, or while it does not start and a lost member must be replaced.
 */
const memberStarting: MemberSituation = {
  reason: 'MemberStarting',
  decide({ membership, spec }) {
    const member = membership.voters.find((voter) => !voter.started && voter.pod && hasData(voter));
    if (!member) return undefined;
    const surplus = membership.voters.length > spec.size;
    const hinders = membership.voters.some((voter) => !hasData(voter));
    if ((surplus || hinders) && mayRemove(membership, member)) {
      const why = surplus
        ? `there are ${membership.voters.length} voting members and ${spec.size} are wanted`
        : 'it has not started, and a lost member must be replaced first';
      return removal(membership, member, `member ${member.name}: ${why}`);
    }
    return { message: `${member.name} was added and is starting${troubleOf(member)}`, requeueAfterMs: 300 };
  },
};

/** etcd lists a member that can never return: no pod and no data, or a pod that found its data folder empty. */
const memberLost: MemberSituation = {
  reason: 'MemberLost',
  decide({ membership }) {
    // Those that never started first: such a one is a membership change in flight.
    const lost = membership.voters
      .filter((voter) => !hasData(voter))
      .sort((a, b) => Number(a.started) - Number(b.started));
    const member = lost.find((candidate) => mayRemove(membership, candidate));
    if (member) {
      const why = member.pod ? 'its data folder is empty' : 'its pod is gone and no claim keeps its data';
      return removal(membership, member, `member ${member.name}: ${why}; the others keep quorum without it`);
    }
    if (lost.length === 0) return undefined;
    return {
      message: `${lost.map((each) => each.name).join(', ')}: lost, but removing it would break quorum`,
      blocked: quorumRule(
        membership,
        lost.map((each) => `${each.name} is lost`),
      ),
      requeueAfterMs: 1000,
    };
  },
};

/** Kubernetes has pods and claims of members that etcd does not list: removed ones. Pod first, then claim. */
const notListed: MemberSituation = {
  reason: 'NotListed',
  decide(world) {
    const { membership } = world;
    const isListed = (name: string) => membership.members.some((member) => member.name === name);
    const pods = world.pods.filter((pod) => !isListed(pod.name));
    const going = pods.filter((pod) => !pod.deleting);
    const claims = world.claims.filter(
      (claim) => !isListed(claim.name) && !claim.deleting && !pods.some((pod) => pod.name === claim.name),
    );
    if (going.length === 0 && claims.length === 0) return undefined;
    const why = 'etcd does not list it as a member any more';
    return {
      message: `${[...going, ...claims].map((fact) => fact.name).join(', ')}: ${why}`,
      steps: [
        ...going.map((pod) => deletePod(pod, `pod ${pod.name}: ${why}`, membership)),
        ...claims.map((claim) => deleteClaim(claim, `claim ${claim.name}: ${why}`, membership)),
      ],
      requeueAfterMs: 300,
    };
  },
};

/** A claim is being deleted under a member that still runs: it is replaced while its data is still there. */
const claimGoing: MemberSituation = {
  reason: 'ClaimGoing',
  decide(world) {
    const { membership, spec } = world;
    const member = membership.voters.find(
      (voter) => voter.pod?.claimName && voter.claim && !isKept(voter.claim),
    );
    if (!member) return undefined;
    const why = `member ${member.name}: its claim is being deleted, so it is replaced while the others keep its data`;
    const others = membership.voters.filter((voter) => voter.id !== member.id);
    if (!mayRemove(membership, member) || others.some((voter) => !voter.healthy)) {
      // More members are wanted: first they are added, and so get a copy of the data.
      if (membership.voters.length < spec.size) return undefined;
      const evidence = [`the claim of ${member.name} is being deleted`];
      return {
        message: `${why}: not now, ${health(membership)}`,
        blocked: others.length === 0 ? lastCopyRule(evidence) : quorumRule(membership, evidence),
        requeueAfterMs: 1000,
      };
    }
    return removal(membership, member, why);
  },
};

/** Removes a member, after handing its leadership over where it leads. */
export function removal(membership: Membership, member: Member, why: string): Decided {
  if (!member.isLeader) {
    return { message: why, steps: [removeMember(membership, member, why)], requeueAfterMs: 300 };
  }
  const heir = membership.healthy.find((voter) => voter.id !== member.id);
  if (!heir || !member.answering) {
    return { message: `${why}; it still leads, so another leader is waited for`, requeueAfterMs: 500 };
  }
  const handover = `leadership goes from ${member.name} to ${heir.name}, because it is to be removed: ${why}`;
  return { message: why, steps: [moveLeader(member, heir, handover)], requeueAfterMs: 100 };
}

export const quorumRule = (membership: Membership, evidence: string[]): Blocked => ({
  rule: 'a member is only removed while the rest keeps quorum',
  evidence: [health(membership), ...evidence].join('; '),
  action: 'bring the members that do not answer back; the cluster then goes on by itself',
});

const lastCopyRule = (evidence: string[]): Blocked => ({
  rule: 'the only copy of the data is never given up',
  evidence: evidence.join('; '),
  action: 'set spec.size to 3: new members get a copy of the data, then this one is replaced',
});

export const troubleOf = (member: Member): string => (member.pod?.trouble ? ` (${member.pod.trouble})` : '');

export const members: MemberSituation[] = [
  memberReturning,
  podFinished,
  learner,
  memberStarting,
  memberLost,
  notListed,
  claimGoing,
];
