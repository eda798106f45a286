import { nameFromPeerUrls } from '../names.ts';
import {
  claimOfPod,
  diskOf,
  isFormed,
  type Model,
  nextOf,
  type SimulatedMember,
  type SimulatedPod,
} from './model.ts';
import { endIfRemoved, everyDisk, liveMembers, quorumConfig, replicate } from './raft.ts';
import { isEnding, noticeImages, raiseClusterVersion, whyNotRunnable } from './versions.ts';

const tickMs = 500;

/** Lets half a second pass: Kubernetes deletes and starts pods, processes start, raft goes on. */
export function tick(model: Model): void {
  model.nowMs += tickMs;
  model.pods = model.pods.filter((pod) => !pod.deleting || pod.isStuck);
  // Kubernetes keeps a claim that is being deleted while a scheduled pod uses it.
  model.claims = model.claims.filter(
    (claim) =>
      !claim.deleting ||
      model.pods.some((pod) => pod.claimName === claim.name && pod.ip !== null && pod.phase !== 'Failed'),
  );
  if (model.unschedulableTicks > 0) model.unschedulableTicks -= 1;
  else for (const pod of model.pods) schedule(model, pod);
  for (const pod of model.pods) {
    const isDown = pod.ip !== null && !pod.isUp && !pod.isStuck && pod.phase === 'Running';
    if (isDown && !isEnding(pod)) start(model, pod);
  }
  replicate(model);
  const config = quorumConfig(model);
  if (config) raiseClusterVersion(model, config);
  noticeImages(model);
  for (const pod of model.pods) {
    pod.frozenTicks = Math.max(0, pod.frozenTicks - 1);
    pod.hiddenTicks = Math.max(0, pod.hiddenTicks - 1);
  }
}

function schedule(model: Model, pod: SimulatedPod): void {
  if (pod.ip !== null || pod.phase !== 'Pending' || pod.isStuck) return;
  const claim = claimOfPod(model, pod);
  if (pod.claimName !== null && (!claim || claim.deleting || claim.phase === 'Lost')) {
    pod.trouble = `Unschedulable: persistentvolumeclaim "${pod.claimName}" not found`;
    return;
  }
  pod.ip = `10.0.0.${nextOf(model)}`;
  pod.phase = 'Running';
  pod.trouble = null;
  if (claim) claim.phase = 'Bound';
}

/** Starts etcd as etcd starts: with data it goes on, on an empty disk its flags and its peers decide. */
function start(model: Model, pod: SimulatedPod): void {
  const crash = (text: string) => {
    pod.trouble = `CrashLoopBackOff (exit code 1: ${text})`;
  };
  // The first process of all begins a cluster that knows of no other before it.
  if (!isFormed(model) && everyDisk(model).length === 0) model.clusterVersion = undefined;
  const obstacle = whyNotRunnable(model, pod);
  if (obstacle !== undefined) {
    pod.trouble = obstacle;
    return;
  }
  pod.hasRun = true;
  pod.containerId = `container-${nextOf(model)}`;
  const disk = diskOf(model, pod);
  if (disk) {
    pod.isUp = true;
    pod.trouble = null;
    endIfRemoved(pod, disk);
    return;
  }
  const peers = liveMembers(model)
    .filter(({ disk }) =>
      disk.config.some((member) => member.id === disk.memberId && pod.initialUrls.includes(member.peerUrl)),
    )
    .sort((a, b) => b.disk.log - a.disk.log);
  const known = peers[0]?.disk.config;
  const self = known?.find((member) => member.peerUrl === pod.peerUrl);
  if (pod.initialState === 'new') {
    if (self?.started) crash(`member ${self.id} has already been bootstrapped`);
    else initialize(model, pod, known ?? seedsOf(pod));
  } else if (!known || pod.initialUrls.length === 1) {
    crash('cannot fetch cluster info from peer urls');
  } else if (urlsOf(known) !== pod.initialUrls.toSorted().join()) {
    crash('error validating peerURLs: member count is unequal');
  } else {
    initialize(model, pod, known);
  }
}

const urlsOf = (config: SimulatedMember[]): string =>
  config
    .map((member) => member.peerUrl)
    .sort()
    .join();

/** The ids of seeds follow from their peer URLs, so that all of them compute the same. */
const seedsOf = (pod: SimulatedPod): SimulatedMember[] =>
  pod.initialUrls.map((peerUrl) => ({
    id: `seed-${nameFromPeerUrls([peerUrl])}`,
    name: nameFromPeerUrls([peerUrl]),
    peerUrl,
    started: false,
    isLearner: false,
  }));

function initialize(model: Model, pod: SimulatedPod, config: SimulatedMember[]): void {
  const self = config.find((member) => member.peerUrl === pod.peerUrl);
  if (!self) return;
  noteHolder(model, pod.name, self, config);
  const disk = { memberId: self.id, log: 0, config };
  const claim = claimOfPod(model, pod);
  if (claim) claim.disk = disk;
  else pod.disk = disk;
  pod.isUp = true;
  pod.trouble = null;
}

/**
 * A voter that starts again without its data may vote against what it has agreed to. One of two may: whatever
 * it agreed to, the other one did, too, and still has.
 */
function noteHolder(model: Model, name: string, self: SimulatedMember, config: SimulatedMember[]): void {
  const holders = model.held.get(name) ?? new Set();
  model.held.set(name, holders);
  if (!isFormed(model)) {
    holders.add(self.id);
    return;
  }
  const isOneOfTwo = config.length === 2;
  if (holders.has(self.id) && !self.isLearner && !isOneOfTwo)
    model.violations.push(`${name} (${self.id}) votes with an empty disk`);
  if ([...holders].some((id) => id !== self.id))
    model.violations.push(`the number of ${name} is given twice`);
  holders.add(self.id);
}
