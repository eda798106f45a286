import { parseIdentity } from '../identity.ts';
import { isFormed, type Model, nextOf } from './model.ts';
import { changeConfig, evictable, quorumConfig, wouldHaveQuorum } from './raft.ts';
import { knowsLearners, lowestRunning, missingVersion } from './versions.ts';

/** What can happen to a cluster from outside. `pick` chooses among the objects there are. */
export interface Disturbance {
  kind: keyof typeof disturbances;
  pick: number;
  ticks: number;
}

const chosen = <Item>(items: Item[], pick: number): Item | undefined =>
  items[pick % Math.max(1, items.length)];

const versions = [
  '3.2.13',
  '3.3.10',
  '3.4.23',
  '3.4.30',
  '3.5.16',
  '3.5.17',
  '3.5.26',
  '3.6.1',
  missingVersion,
];

export const disturbances = {
  processKilled(model: Model, { pick }: Disturbance) {
    const pod = chosen(model.pods, pick);
    if (pod) pod.isUp = false;
  },
  processFrozen(model: Model, { pick, ticks }: Disturbance) {
    const pod = chosen(model.pods, pick);
    if (pod) pod.frozenTicks = ticks;
  },
  memberNotAnsweringUs(model: Model, { pick, ticks }: Disturbance) {
    const pod = chosen(model.pods, pick);
    if (pod) pod.hiddenTicks = ticks;
  },
  podDeleted(model: Model, { pick }: Disturbance) {
    const pod = chosen(model.pods, pick);
    if (pod) pod.deleting = true;
  },
  podEvicted(model: Model, { pick }: Disturbance) {
    const pod = chosen(model.pods, pick);
    if (pod) Object.assign(pod, { phase: 'Failed', isUp: false });
  },
  claimDeleted(model: Model, { pick }: Disturbance) {
    const claim = chosen(model.claims, pick);
    if (claim) claim.deleting = true;
  },
  podAndClaimDeleted(model: Model, { pick }: Disturbance) {
    const pod = chosen(model.pods, pick);
    const claim = model.claims.find(({ name }) => name === pod?.claimName);
    if (pod) pod.deleting = true;
    if (claim) claim.deleting = true;
  },
  /** A node is lost, and the volume comes back empty. */
  volumeLost(model: Model, { pick }: Disturbance) {
    const pod = chosen(model.pods, pick);
    const claim = model.claims.find(({ name }) => name === pod?.claimName);
    if (pod) pod.deleting = true;
    if (claim) claim.disk = undefined;
  },
  /** As a careful person does: in a cluster that is there, and not while another member is joining. */
  memberAddedByHand(model: Model, { pick }: Disturbance) {
    const config = quorumConfig(model);
    if (
      !config ||
      !isFormed(model) ||
      config.length < 2 ||
      config.some((member) => member.isLearner || !member.started)
    )
      return;
    const host = `by-hand-${nextOf(model)}`;
    const isLearner = knowsLearners(lowestRunning(model)) && pick % 2 === 0;
    const member = { id: host, name: host, peerUrl: `http://${host}:2380`, started: false, isLearner };
    changeConfig(model, (members) => [...members, member]);
  },
  /** etcd refuses what would break quorum. */
  memberRemovedByHand(model: Model, { pick }: Disturbance) {
    const config = isFormed(model) ? quorumConfig(model) : undefined;
    const member = chosen(config ?? [], pick);
    const rest = config?.filter((other) => other !== member) ?? [];
    if (rest.some((other) => !other.isLearner) && wouldHaveQuorum(model, rest))
      changeConfig(model, () => rest);
  },
  sizeChanged(model: Model, { pick }: Disturbance) {
    model.spec = { ...model.spec, size: 1 + (pick % 7) };
    model.resourceVersion += 1;
  },
  versionChanged(model: Model, { pick }: Disturbance) {
    model.spec = { ...model.spec, version: chosen(versions, pick) ?? '' };
    model.resourceVersion += 1;
  },
  imagesNoticedLate(model: Model, { ticks }: Disturbance) {
    model.slowTicks = ticks;
  },
  /** As when the observer writes status. */
  resourceTouched(model: Model) {
    model.resourceVersion += 1;
  },
  serviceDeleted(model: Model, { pick }: Disturbance) {
    model.services.splice(pick % Math.max(1, model.services.length), 1);
  },
  /** A drain of its node, which asks the disruption budget. */
  podDrained(model: Model, { pick }: Disturbance) {
    const pod = chosen(model.pods, pick);
    if (pod && evictable(model) > 0) pod.deleting = true;
  },
  budgetDeleted(model: Model) {
    model.budgets = [];
  },
  /** As somebody does whose pods cannot be scheduled, or whose claims cannot be bound. */
  placementChanged(model: Model, { pick }: Disturbance) {
    const { pod = {} } = model.spec;
    const claims = pod.persistentVolumeClaimSpec && { persistentVolumeClaimSpec: { pick } };
    model.spec = { ...model.spec, pod: { ...pod, nodeSelector: { pick: String(pick) }, ...claims } };
    model.resourceVersion += 1;
  },
  repositoryChanged(model: Model, { pick }: Disturbance) {
    model.spec = { ...model.spec, repository: `registry-${pick % 3}.example/etcd` };
    model.resourceVersion += 1;
  },
  podsNotScheduled(model: Model, { ticks }: Disturbance) {
    model.unschedulableTicks = ticks;
  },
  changesRefusedByEtcd(model: Model, { ticks }: Disturbance) {
    model.refusals = ticks;
  },
} satisfies Record<string, (model: Model, disturbance: Disturbance) => void>;

export function disturb(model: Model, disturbance: Disturbance): void {
  disturbances[disturbance.kind](model, disturbance);
}

/** Ends everything that lasts: from here on nothing more happens from outside. */
export function calm(model: Model): void {
  model.unschedulableTicks = 0;
  model.slowTicks = 0;
  model.refusals = 0;
  // A person corrects what cannot be had.
  if (model.spec.version === missingVersion) {
    const identity = parseIdentity(model.identity);
    const recorded = identity.state === 'recorded' ? identity.identity.version : missingVersion;
    const version = recorded === missingVersion ? '3.4.23' : recorded;
    model.spec = { ...model.spec, version };
  }
  for (const pod of model.pods) Object.assign(pod, { frozenTicks: 0, hiddenTicks: 0 });
}
