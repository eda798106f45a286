import { addMember, createMember, recordNumber } from '../make.ts';
import { memberName, peerUrl } from '../names.ts';
import { health, mayAdd, mayRemove } from '../quorum.ts';
import { compareVersions, lowestVersion } from '../versions.ts';
import type { Member } from '../view.ts';
import { highestNumber, type QuorateWorld, type Situation } from '../world.ts';
import { quorumRule, removal, troubleOf, urlsOf } from './members.ts';
import { upgrade, upgradeWaits } from './upgrade.ts';

/** A formed cluster with quorum, whose members all have their place: is it the size and version wanted? */

type SizeSituation = Situation<QuorateWorld>;

/** etcd has learners from 3.4 on (etcd documentation, "Learner"), that is when all its members are. */
function hasLearners({ membership, identity }: QuorateWorld): boolean {
  const version = lowestVersion([membership.version, identity?.upgradingFrom ?? membership.version]);
  return compareVersions(version ?? '', '3.4.0') >= 0;
}

const scaleIn: SizeSituation = {
  reason: 'ScaleIn',
  decide({ membership, spec }) {
    const surplus = membership.voters.length - spec.size;
    if (surplus <= 0) return undefined;
    const candidates = membership.voters.filter((voter) => !voter.isLeader).sort(byDispensability);
    const member = candidates.find((candidate) => mayRemove(membership, candidate));
    const goal = `${membership.voters.length} members, ${spec.size} wanted`;
    if (!member) {
      return {
        message: `${goal}: no member can be removed, ${health(membership)}`,
        blocked: quorumRule(membership, [goal]),
        requeueAfterMs: 1000,
      };
    }
    return removal(
      membership,
      member,
      `member ${member.name}: ${goal}; it does not lead, and the rest keeps quorum`,
    );
  },
};

/** Who goes first: those that do not answer, then the youngest. The leader is no candidate at all. */
const byDispensability = (a: Member, b: Member): number =>
  Number(a.healthy) - Number(b.healthy) || (b.number ?? 0) - (a.number ?? 0) || (a.id < b.id ? -1 : 1);

const scaleOut: SizeSituation = {
  reason: 'ScaleOut',
  decide(world) {
    const { membership, spec, cluster } = world;
    if (membership.members.length >= spec.size) return undefined;
    const learner = hasLearners(world);
    if (!mayAdd(membership, learner)) return undefined;
    const number = highestNumber(world) + 1;
    const name = memberName(cluster.name, number);
    const url = peerUrl(cluster, spec, number);
    const goal = `${membership.members.length} members, ${spec.size} wanted`;
    return {
      message: `${goal}: ${name} is added`,
      steps: [
        addMember(
          membership,
          name,
          url,
          learner,
          `${name}: ${goal}; it joins ${learner ? 'as a learner, without a vote until it has caught up' : 'with a vote'}`,
        ),
        // Between the two: etcd may refuse for a while, which spends no number, and no data is under it yet.
        recordNumber(world, number),
        ...createMember(
          world,
          number,
          { as: 'joining', memberUrls: { ...urlsOf(membership), [name]: url } },
          'it was added to the cluster',
        ),
      ].flat(),
      requeueAfterMs: 500,
    };
  },
};

const unhealthy: SizeSituation = {
  reason: 'MemberUnhealthy',
  decide({ membership, spec }) {
    const silent = membership.voters.filter((voter) => !voter.healthy);
    if (silent.length === 0 && membership.voters.length >= spec.size) return undefined;
    const who = silent.map(
      (member) => `${member.name}${member.pod ? '' : ' (its pod is being deleted)'}${troubleOf(member)}`,
    );
    return { message: `${health(membership)}; not answering: ${who.join(', ')}`, requeueAfterMs: 1000 };
  },
};

const healthy: SizeSituation = {
  reason: 'Healthy',
  decide: ({ membership }) => ({ message: `all well: ${health(membership)}`, requeueAfterMs: 10_000 }),
};

export const size: SizeSituation[] = [scaleIn, scaleOut, ...upgradeWaits, unhealthy, ...upgrade, healthy];
