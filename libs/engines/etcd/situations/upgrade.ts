import type { Blocked } from '../../../engine/contract.ts';
import { isBeforeChange, isFinished, type PodFact } from '../facts.ts';
import { moveLeader, recordIdentity, restartAs } from '../make.ts';
import { plainVersion } from '../names.ts';
import { health, mayRestart } from '../quorum.ts';
import { refusalOf } from '../version-rules.ts';
import { isSameVersion } from '../versions.ts';
import { type Member, type PodMember, quorumOf } from '../view.ts';
import type { QuorateWorld, Situation } from '../world.ts';
import { troubleOf } from './members.ts';

/**
 * A rolling upgrade, as etcd's documentation asks for it ("Upgrading etcd clusters and applications"): one member at
 * a time, each well again before the next, the leader last and only after it has handed over its leadership. A
 * member's process is restarted in its pod and keeps its data.
 *
 * The recorded version, which new pods are made with, moves as soon as one member runs the wanted one: its image is
 * proven then, and as others still run the old one, the cluster cannot have become one that refuses either.
 */

type UpgradeSituation = Situation<QuorateWorld>;

const wantedOf = ({ wantedVersion }: QuorateWorld): string => plainVersion(wantedVersion);

const hasPod = (member: Member): member is PodMember => member.pod !== undefined;

const isAssigned = (member: Member, version: string): boolean =>
  member.assigned !== undefined && isSameVersion(member.assigned, version);

const hasReached = (member: Member, version: string): boolean =>
  member.healthy && isAssigned(member, version) && isSameVersion(member.runs ?? '', version);

/** Why the wanted version is refused. What is recorded and runs is not, whatever an image's tag may hide. */
function refusalIn(world: QuorateWorld): Blocked | undefined {
  const { membership, identity } = world;
  const wanted = wantedOf(world);
  const isPresent =
    isSameVersion(identity?.version ?? '', wanted) &&
    membership.healthy.some((voter) => isAssigned(voter, wanted));
  return isPresent ? undefined : refusalOf(membership, wanted);
}

/**
 * The version that members are being brought to, or `undefined` where nothing is to be done about versions, or
 * where it may not be done.
 */
export function targetOf(world: QuorateWorld): string | undefined {
  const { membership, identity } = world;
  const wanted = wantedOf(world);
  if (!identity || refusalIn(world)) return undefined;
  const isBehind = membership.voters.some((voter) => !isAssigned(voter, wanted));
  const hasBegun =
    identity.upgradingFrom !== undefined || membership.voters.some((voter) => isUnproven(world, voter));
  // With fewer than three members it cannot begin; what has begun goes on.
  return hasBegun || (isBehind && membership.voters.length >= 3) ? wanted : undefined;
}

/** It was changed to the wanted version, and nobody has been seen to run that yet. */
const isUnproven = (world: QuorateWorld, member: Member): boolean =>
  isAssigned(member, wantedOf(world)) && !isSameVersion(world.identity?.version ?? '', wantedOf(world));

/** "1 of 3 members run 3.5.16" */
export function progress({ membership }: QuorateWorld, target: string): string {
  const done = membership.voters.filter((voter) => hasReached(voter, target));
  return `${done.length} of ${membership.voters.length} members run ${target}`;
}

/** The member that is on its way to the target: it was changed, and is not back yet. */
export const restarting = ({ membership }: QuorateWorld, target: string): Member | undefined =>
  membership.voters.find((voter) => !voter.healthy && isAssigned(voter, target));

/** Comes before all else that is done to members: whatever pod is made next must be of a version that can run. */
const versionProven: UpgradeSituation = {
  reason: 'VersionProven',
  decide(world) {
    const { identity, membership } = world;
    const wanted = wantedOf(world);
    if (!identity || identity.version === wanted || refusalIn(world)) return undefined;
    const proof = membership.healthy.find((voter) => hasReached(voter, wanted));
    if (!proof) return undefined;
    const from = isSameVersion(identity.version, wanted) ? {} : { upgradingFrom: identity.version };
    const why = `version ${wanted}: ${proof.name} runs it, so pods made from now on run it, too`;
    const step = recordIdentity(world, { ...identity, version: wanted, ...from }, why);
    return { message: why, steps: [step], requeueAfterMs: 100 };
  },
};

/**
 * A member that does not answer was changed to a version that is neither the recorded one nor the wanted one: it was
 * wanted before, and perhaps cannot run at all. It is brought to the wanted one first, or where that is refused, back.
 */
const versionCorrected: UpgradeSituation = {
  reason: 'VersionCorrected',
  decide(world) {
    const { membership, identity } = world;
    if (!identity) return undefined;
    const wanted = wantedOf(world);
    const isOdd = (member: Member) => !isAssigned(member, wanted) && !isAssigned(member, identity.version);
    // One that merely was slow to answer us still runs: to restart it would take away a second member in an upgrade.
    const mayRun = ({ pod, changing }: PodMember) => pod.ready && !changing;
    const member = membership.members
      .filter(hasPod)
      .filter((each) => !each.pod.deleting && !isFinished(each.pod) && !mayRun(each))
      .find((each) => !each.healthy && !each.isLeader && isOdd(each) && mayRestart(membership, each));
    if (!member) return undefined;
    const version = refusalIn(world) ? identity.version : wanted;
    const why = `member ${member.name}: it is to run ${member.assigned} and does not answer${troubleOf(member)}; now to ${version}`;
    return { message: why, steps: [restartAs(world, member, version, why)], requeueAfterMs: 300 };
  },
};

/** The member that was changed last is waited for: one at a time. */
const upgrading: UpgradeSituation = {
  reason: 'Upgrading',
  decide(world) {
    const { membership } = world;
    const target = targetOf(world);
    const member = target && restarting(world, target);
    if (!member) return undefined;
    const others = membership.voters.filter((voter) => voter.id !== member.id);
    if (others.some((voter) => !voter.healthy)) return undefined;
    const trouble = member.pod?.trouble;
    return {
      message: `${progress(world, target)}; ${member.name} restarts with it${troubleOf(member)}`,
      requeueAfterMs: trouble ? 1000 : 300,
      ...(trouble && { blocked: stuckRule(world, member, trouble) }),
    };
  },
};

const stuckRule = ({ identity }: QuorateWorld, member: Member, trouble: string): Blocked => ({
  rule: 'the next member is only changed when the one before is well again',
  evidence: `${member.name} was changed to ${member.assigned} and does not start: ${trouble}`,
  action: `make that version available, or correct spec.version: ${identity?.upgradingFrom ?? identity?.version} brings the member back as it was`,
});

const refused: UpgradeSituation = {
  reason: 'VersionRefused',
  decide(world) {
    const refusal = refusalIn(world);
    if (!refusal) return undefined;
    return {
      message: `version ${wantedOf(world)} is wanted: ${refusal.evidence}; ${health(world.membership)}`,
      blocked: refusal,
      requeueAfterMs: 10_000,
    };
  },
};

/** The process of a member that was changed has started anew, and is still not what its image's tag says. */
const otherImage: UpgradeSituation = {
  reason: 'ImageHoldsOtherVersion',
  decide(world) {
    const target = targetOf(world);
    if (target === undefined) return undefined;
    const changed = world.membership.healthy.filter((voter) => voter.pod && voter.pod.changedFrom !== null);
    const member = changed.find((voter) => isAssigned(voter, target) && !hasReached(voter, target));
    if (!member) return undefined;
    return {
      message: `${member.name} was changed to ${target} and says that it runs ${member.runs}`,
      blocked: {
        rule: 'the next member is only changed when the one before runs the wanted version',
        evidence: `the image ${world.spec.repository}:v${target} of ${member.name} runs etcd ${member.runs}`,
        action: 'correct the image, or set spec.version back',
      },
      requeueAfterMs: 10_000,
    };
  },
};

/**
 * A member that is back serves clients only when Kubernetes finds it ready, too; till then no other one goes. A pod that is
 * ready as the container that it was is not ready again yet: what etcd itself answers is known before that.
 */
const notReady: UpgradeSituation = {
  reason: 'Upgrading',
  decide(world) {
    const target = targetOf(world);
    const isReady = (pod: PodFact) => pod.ready && !(world.behaves('containerTold') && isBeforeChange(pod));
    const member = target && world.membership.voters.find(({ pod }) => pod && !isReady(pod));
    if (!member) return undefined;
    return { message: `${progress(world, target)}; ${member.name} is not ready yet`, requeueAfterMs: 500 };
  },
};

/** Followers first; then the leadership goes to one that is done, and the last is a follower, too. */
const nextMember: UpgradeSituation = {
  reason: 'Upgrading',
  decide(world) {
    const { membership } = world;
    const wanted = wantedOf(world);
    const left = membership.voters.filter(hasPod).filter((voter) => !isAssigned(voter, wanted));
    const member = left.find((voter) => !voter.isLeader) ?? left[0];
    if (!member) return undefined;
    const goal = progress(world, wanted);
    if (!mayRestart(membership, member)) {
      return {
        message: `${goal}: no member may restart`,
        blocked: tooFewRule(world),
        requeueAfterMs: 10_000,
      };
    }
    if (!member.isLeader) {
      const why = `member ${member.name}: from ${member.assigned} to ${wanted}; ${goal}, the others keep quorum while it restarts`;
      return { message: why, steps: [restartAs(world, member, wanted, why)], requeueAfterMs: 300 };
    }
    const heir = membership.healthy.find((voter) => hasReached(voter, wanted));
    if (!heir)
      return { message: `${goal}: ${member.name} leads, and nobody can take over`, requeueAfterMs: 500 };
    const why = `leadership goes from ${member.name} to ${heir.name}, which runs ${wanted} already; then the last one can restart`;
    return { message: `${goal}: ${why}`, steps: [moveLeader(member, heir, why)], requeueAfterMs: 100 };
  },
};

function tooFewRule({ membership, wantedVersion, spec, identity }: QuorateWorld): Blocked {
  const { length } = membership.voters;
  const before = identity?.upgradingFrom ?? spec.version;
  return {
    rule: 'a member is only restarted while the others keep quorum',
    evidence: `${plainVersion(wantedVersion)} is wanted, and of ${length} voting members ${quorumOf(length)} must always answer`,
    action: `set spec.size to 3, let it upgrade, and set it back to ${spec.size}; or set spec.version back to ${before}`,
  };
}

const complete: UpgradeSituation = {
  reason: 'UpgradeComplete',
  decide(world) {
    const { identity, membership } = world;
    if (identity?.upgradingFrom === undefined) return undefined;
    if (!membership.voters.every((voter) => hasReached(voter, identity.version))) return undefined;
    const { upgradingFrom, ...rest } = identity;
    const why = `version ${identity.version}: all ${membership.voters.length} members run it; they came from ${upgradingFrom}`;
    return { message: why, steps: [recordIdentity(world, rest, why)], requeueAfterMs: 100 };
  },
};

/** Before anything else is done to members. */
export const versionFirst: UpgradeSituation[] = [versionProven, versionCorrected];

/** Whatever else waits: a member that restarts is not judged by its silence, and an answer to a person is due. */
export const upgradeWaits: UpgradeSituation[] = [upgrading, refused];

/** For a cluster of the wanted size whose members are all well. */
export const upgrade: UpgradeSituation[] = [otherImage, notReady, nextMember, complete];
