import { addMember, createMember, recordNumber } from '../make.ts';
import { memberName, peerUrl, plainVersion } from '../names.ts';
import { health, mayAdd, mayRemove } from '../quorum.ts';
import { compareVersions, type Member } from '../view.ts';
import { highestNumber, type Situation } from '../world.ts';
import { type QuorateWorld, quorumRule, removal, troubleOf, urlsOf } from './members.ts';

/** A formed cluster with quorum, whose members all have their place: is it the size and version wanted? */

type SizeSituation = Situation<QuorateWorld>;

/** etcd has learners from 3.4 on (etcd documentation, "Learner"). */
const hasLearners = (version: string): boolean => compareVersions(version, '3.4.0') >= 0;

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
    const learner = hasLearners(membership.version);
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

/** Not built yet: said clearly instead of half done. The members stay as they are. */
const otherVersion: SizeSituation = {
  reason: 'VersionChange',
  decide({ wantedVersion, identity, membership }) {
    const wanted = plainVersion(wantedVersion);
    if (!identity || wanted === identity.version) return undefined;
    return {
      message: `version ${identity.version} runs and ${wanted} is wanted: upgrades are not supported yet; ${health(membership)}`,
      blocked: {
        rule: 'the version of a running cluster cannot be changed yet',
        evidence: `spec.version is ${wanted}, the members were started with ${identity.version}`,
        action: `set spec.version back to ${identity.version}`,
      },
      requeueAfterMs: 10_000,
    };
  },
};

const healthy: SizeSituation = {
  reason: 'Healthy',
  decide: ({ membership }) => ({ message: `all well: ${health(membership)}`, requeueAfterMs: 10_000 }),
};

export const size: SizeSituation[] = [scaleIn, scaleOut, unhealthy, otherVersion, healthy];
