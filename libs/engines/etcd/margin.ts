import type { Margin } from '../../engine/contract.ts';
import type { EtcdFacts } from './facts.ts';
import { membershipOf, quorumOf, rememberedMembers } from './view.ts';

/** How far the cluster is from losing quorum: the voters that reach it, against the majority that it takes. Pure. */
export function margin(facts: EtcdFacts): Margin | undefined {
  const uid = facts.resource?.uid;
  if (uid === undefined) return undefined;
  const membership = membershipOf(facts, uid);
  const voters =
    membership?.voters ?? rememberedMembers(facts, uid)?.filter((member) => !member.isLearner) ?? [];
  if (voters.length === 0) return undefined;
  const serving = voters.filter((voter) => (membership ? voter.healthy : voter.answering));
  return {
    serving: serving.length,
    of: voters.length,
    needed: quorumOf(voters.length),
    away: voters.filter((voter) => !serving.includes(voter)).map((voter) => voter.name),
  };
}
