import { quorumOf } from '../view.ts';
import { type Disk, diskOf, isFormed, type Model, type SimulatedMember, type SimulatedPod } from './model.ts';

/** What is true of etcd's members: who runs, who leads, what a quorum of them agrees on. */

export interface Live {
  pod: SimulatedPod;
  disk: Disk;
}

/** The members whose processes run and are not stopped. */
export function liveMembers(model: Model): Live[] {
  return model.pods.flatMap((pod) => {
    const disk = diskOf(model, pod);
    return pod.isUp && pod.frozenTicks === 0 && disk ? [{ pod, disk }] : [];
  });
}

const latest = (disks: Disk[]): Disk | undefined => disks.toSorted((a, b) => b.log - a.log)[0];

/** The members that a running majority agrees on; `undefined` without one. */
export function quorumConfig(model: Model): SimulatedMember[] | undefined {
  const live = liveMembers(model).map(({ disk }) => disk);
  const config = latest(live)?.config;
  if (!config) return undefined;
  return hasMajority(config, live) ? config : undefined;
}

function hasMajority(config: SimulatedMember[], disks: Disk[]): boolean {
  const voters = config.filter((member) => !member.isLearner);
  const present = voters.filter((voter) => disks.some((disk) => disk.memberId === voter.id));
  return present.length >= quorumOf(voters.length);
}

/** Whether the voters `config` would have a running majority. */
export const wouldHaveQuorum = (model: Model, config: SimulatedMember[]): boolean =>
  hasMajority(
    config,
    liveMembers(model).map(({ disk }) => disk),
  );

/** How many pods the disruption budget lets a drain take; none where there is no budget. */
export function evictable(model: Model): number {
  const least = Number(/^at least (\d+)/.exec(model.budgets[0]?.shape ?? '')?.[1]);
  return Math.max(0, liveMembers(model).length - least) || 0;
}

/** Whether a drain that the disruption budget lets through could take away the quorum there is. */
export function mayDrainQuorum(model: Model): boolean {
  const voters = quorumConfig(model)?.filter((member) => !member.isLearner) ?? [];
  const live = liveMembers(model);
  const present = voters.filter((voter) => live.some(({ disk }) => disk.memberId === voter.id));
  return voters.length > 0 && present.length - evictable(model) < quorumOf(voters.length);
}

/** Every disk that still exists, under a running pod or kept by a claim. */
export const everyDisk = (model: Model): Disk[] => [
  ...model.pods.flatMap((pod) => (pod.claimName === null && pod.disk && !isEnding(pod) ? [pod.disk] : [])),
  ...model.claims.flatMap((claim) =>
    claim.disk && !claim.deleting && claim.phase !== 'Lost' ? [claim.disk] : [],
  ),
];

const isEnding = (pod: SimulatedPod): boolean => pod.deleting || pod.phase === 'Failed';

/** Whether quorum exists or returns once every member that has its data runs again. */
export function isQuorumPossible(model: Model): boolean {
  const disks = everyDisk(model);
  const config = latest(disks)?.config;
  return config !== undefined && hasMajority(config, disks);
}

/** A membership change: agreed by the quorum there is, written by all of its running members. */
export function changeConfig(model: Model, change: (config: SimulatedMember[]) => SimulatedMember[]): void {
  const config = quorumConfig(model);
  if (!config) throw new Error('a membership change needs quorum');
  const live = liveMembers(model).filter(({ disk }) => config.some((member) => member.id === disk.memberId));
  const log = 1 + Math.max(...live.map(({ disk }) => disk.log));
  const next = change(config);
  for (const { pod, disk } of live) {
    Object.assign(disk, { log, config: next });
    endIfRemoved(pod, disk);
  }
}

/** etcd ends itself once it has learned that it was removed. */
export function endIfRemoved(pod: SimulatedPod, disk: Disk): void {
  if (disk.config.some((member) => member.id === disk.memberId)) return;
  pod.isUp = false;
  pod.trouble = 'CrashLoopBackOff (exit code 0: the member has been permanently removed from the cluster)';
}

/**
 * A moment of raft: with quorum a client writes, all running members catch up, newcomers are noted as started
 * and removed ones end. Notes when a quorum forgot what clients were told is safe.
 */
export function replicate(model: Model): void {
  const config = quorumConfig(model);
  if (!config) {
    model.leaderId = undefined;
    return;
  }
  const live = liveMembers(model);
  const isLive = (member: SimulatedMember) => live.some(({ disk }) => disk.memberId === member.id);
  const log = Math.max(...live.map(({ disk }) => disk.log));
  if (isFormed(model) && log < model.acknowledged) {
    model.violations.push(`acknowledged entries are lost: ${model.acknowledged} became ${log}`);
  }
  const next = config.map((member) => ({ ...member, started: member.started || isLive(member) }));
  for (const { pod, disk } of live) {
    Object.assign(disk, { log: log + 1, config: next });
    endIfRemoved(pod, disk);
  }
  model.acknowledged = log + 1;
  const leads = next.some((member) => member.id === model.leaderId && !member.isLearner && isLive(member));
  if (!leads) model.leaderId = next.find((member) => !member.isLearner && isLive(member))?.id;
}
