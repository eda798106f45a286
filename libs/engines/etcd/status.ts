import type { ClusterStatus, Condition } from '../../engine/contract.ts';
import { clientPort, clientServiceName } from './names.ts';
import { health } from './quorum.ts';
import { progress, restarting, targetOf } from './situations/upgrade.ts';
import { specApplied } from './spec-applied.ts';
import { lowestVersion } from './versions.ts';
import type { Member } from './view.ts';
import type { Decided, World } from './world.ts';

/**
 * The status of an EtcdCluster in a situation: what people and `kubectl wait` see. Pure. No text in it is empty:
 * API servers before 1.21 can take an empty text for null, and refuse the whole status.
 */
export function statusOf(
  world: World,
  reason: string,
  decided: Decided,
  degraded?: Condition,
): ClusterStatus {
  const { membership, identity, cluster, spec } = world;
  const listed = membership?.members.map((member) => member.name) ?? world.pods.map((pod) => pod.name);
  const ready = membership?.healthy.map((member) => member.name) ?? [];
  const failed = reason === 'QuorumLost';
  const target = upgradeTarget(world);
  return {
    phase: failed ? 'Failed' : isFormed(world) ? 'Running' : 'Creating',
    ...(failed && { reason: decided.message }),
    controlPaused: spec.paused,
    size: membership?.voters.length ?? 0,
    serviceName: clientServiceName(cluster.name),
    clientPort,
    members: { ready, unready: listed.filter((name) => !ready.includes(name)) },
    readyMembers: ready.length,
    ...(identity && { currentVersion: currentVersion(world, identity.version) }),
    ...(target && { targetVersion: target }),
    conditions: [
      ...conditions(world, reason, decided),
      ...(world.behaves('specApplied') ? [specApplied(world)] : []),
      ...(degraded ? [degraded] : []),
    ],
  };
}

/** While only the record is missing, members that reach quorum tell as well that the cluster has formed. */
const isFormed = ({ identity, membership }: World): boolean => identity?.formed ?? membership !== undefined;

/** The lowest that a voting member was started with. */
const currentVersion = ({ membership }: World, recorded: string): string =>
  lowestVersion(membership?.voters.flatMap(startedWith) ?? []) ?? recorded;

const startedWith = ({ changing, runs, assigned }: Member): string[] =>
  [(changing ? runs : assigned) ?? []].flat();

/** What members are being brought to. Without quorum only what was recorded of it is known. */
function upgradeTarget(world: World): string | undefined {
  const { membership, identity, behaves } = world;
  if (!behaves('rollingUpgrade')) return undefined;
  if (membership) return targetOf({ ...world, membership });
  return identity?.upgradingFrom === undefined ? undefined : identity.version;
}

function conditions(world: World, reason: string, decided: Decided): Condition[] {
  const { membership, spec } = world;
  const { message } = decided;
  const condition = (
    type: string,
    holds: boolean,
    yes: [string, string],
    no: [string, string],
  ): Condition => {
    const [conditionReason, text] = holds ? yes : no;
    return { type, status: holds ? 'True' : 'False', reason: conditionReason, message: text };
  };
  const formed = isFormed(world);
  const target = upgradeTarget(world);
  const lowest = currentVersion(world, spec.version);
  const noUpgrade = world.behaves('rollingUpgrade') ? `; all members run ${lowest} or later` : '';
  const upgraded = target && membership ? restarting({ ...world, membership }, target) : undefined;
  // A member that restarts because we have asked it to has nothing to recover from.
  const silent =
    membership?.voters
      .filter((voter) => !voter.healthy && voter.id !== upgraded?.id)
      .map((voter) => voter.name) ?? [];
  const voters = membership?.voters.length ?? 0;
  const changing =
    formed && membership !== undefined && (voters !== spec.size || membership.learners.length > 0);
  return [
    condition(
      'Available',
      formed && membership !== undefined,
      ['Quorum', membership ? health(membership) : message],
      [reason, message],
    ),
    condition(
      'Recovering',
      formed && (membership === undefined || silent.length > 0),
      [reason, silent.length > 0 ? `not answering: ${silent.join(', ')}` : message],
      ['MembersAnswer', formed ? 'all voting members answer' : 'there is nothing to recover yet'],
    ),
    condition(
      'Scaling',
      changing,
      [reason, `${voters} voting members, ${spec.size} wanted`],
      ['SizeReached', `nothing is being added or removed, ${spec.size} wanted`],
    ),
    condition(
      'Upgrading',
      target !== undefined,
      ['RollingUpgrade', membership && target ? progress({ ...world, membership }, target) : message],
      ['NoUpgrade', `no upgrade is under way${noUpgrade}`],
    ),
  ];
}
