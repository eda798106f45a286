import { compareMinors, compareVersions, lowestVersion, partsOf } from '../versions.ts';
import type { Model, SimulatedMember, SimulatedPod } from './model.ts';
import { liveMembers } from './raft.ts';

/** What of versions and images is true: which processes can run, and what the cluster itself is. */

/** A version that no registry has. */
export const missingVersion = '3.5.99';

export const knowsLearners = (version: string): boolean => compareVersions(version, '3.4.0') >= 0;

/** etcd before 3.5 answers a list of members without quorum. */
export const listsWithoutQuorum = (version: string): boolean => compareVersions(version, '3.5.0') < 0;

const running = (model: Model): string[] => liveMembers(model).map(({ pod }) => pod.runs);

/** The lowest version of the members that run. */
export const lowestRunning = (model: Model): string => lowestVersion(running(model)) ?? '';

/** The kubelet has not seen yet that it should have another image. It ends then, and does not start again as it was. */
export const isEnding = (pod: SimulatedPod): boolean => pod.runs !== pod.version;

/** The kubelet sees what image a pod should have, and ends the container of another one. */
export function noticeImages(model: Model): void {
  if (model.slowTicks > 0) {
    model.slowTicks -= 1;
    return;
  }
  for (const pod of model.pods.filter(isEnding)) {
    Object.assign(pod, { runs: pod.version, reports: null, isUp: false });
  }
}

/** Why a process of this pod cannot run; `undefined` when it can. Notes a mix of versions that etcd does not support. */
export function whyNotRunnable(model: Model, pod: SimulatedPod): string | undefined {
  if (pod.runs === missingVersion) return `ImagePullBackOff: etcd:v${pod.runs} is not found`;
  const { clusterVersion } = model;
  if (clusterVersion !== undefined && compareMinors(pod.runs, clusterVersion) < 0)
    return 'CrashLoopBackOff (exit code 1: cluster cannot be downgraded)';
  const others = [...running(model), ...(clusterVersion === undefined ? [] : [clusterVersion])];
  const tooFar = others.find((other) => Math.abs(partsOf(other).minor - partsOf(pod.runs).minor) > 1);
  if (tooFar !== undefined) model.violations.push(`${pod.name} runs ${pod.runs} beside ${tooFar}`);
  return undefined;
}

/** etcd raises the cluster's version when it knows those of all members, and all are newer. */
export function raiseClusterVersion(model: Model, config: SimulatedMember[]): void {
  const live = liveMembers(model).filter(({ disk }) => config.some((member) => member.id === disk.memberId));
  const lowest = lowestVersion(live.map(({ pod }) => pod.runs));
  if (live.length < config.length || lowest === undefined) return;
  if (model.clusterVersion === undefined || compareMinors(lowest, model.clusterVersion) > 0)
    model.clusterVersion = lowest;
}
