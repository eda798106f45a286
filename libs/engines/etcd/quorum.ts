import { type Member, type Membership, quorumOf } from './view.ts';

/**
 * The arithmetic that guards every membership change (raft: a majority of voters must agree; etcd's runtime
 * reconfiguration guide: change one member at a time, and only while a majority is healthy).
 */

/** Whether the rest keeps quorum, counted by members that answer now, when `member` is gone. */
export function mayRemove(membership: Membership, member: Member): boolean {
  if (member.isLearner) return true;
  const rest = membership.voters.length - 1;
  const healthyRest = membership.healthy.filter((other) => other.id !== member.id).length;
  return rest > 0 && healthyRest >= quorumOf(rest);
}

/** Whether quorum holds after a learner that answers becomes a voter. */
export function mayPromote(membership: Membership): boolean {
  return membership.healthy.length + 1 >= quorumOf(membership.voters.length + 1);
}

/**
 * Whether a member may be added. As a learner it does not vote before it is promoted. Where etcd has no
 * learners it votes at once, before it has started; from one member to two there is no way to do that with
 * quorum in between, so that one step is allowed, as etcd allows it.
 */
export function mayAdd(membership: Membership, learner: boolean): boolean {
  if (learner) return mayPromote(membership);
  const { healthy, voters } = membership;
  return healthy.length >= quorumOf(voters.length + 1) || (voters.length === 1 && healthy.length === 1);
}

/** Whether the others keep quorum, counted by members that answer now, while `member` restarts. */
export function mayRestart({ voters, healthy }: Membership, member: Member): boolean {
  const others = healthy.filter((other) => other.id !== member.id);
  return member.isLearner || others.length >= quorumOf(voters.length);
}

/** "2 of 3 members answer" */
export const health = (membership: Membership): string =>
  `${membership.healthy.length} of ${membership.voters.length} voting members reach quorum`;
