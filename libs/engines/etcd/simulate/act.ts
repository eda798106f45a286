import type { Step } from '../../../engine/contract.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { budgetShape } from '../budget.ts';
import type { ShapedFact } from '../facts.ts';
import { formatIdentity } from '../identity.ts';
import { madeForAnnotation } from '../made-for.ts';
import { serviceShape } from '../objects.ts';
import type { SetImage } from '../steps/image.ts';
import type { AddMember, MoveLeader, PromoteMember, RemoveMember } from '../steps/membership.ts';
import type { ApplyObject, CreateObject, DeleteObject, RecordIdentity } from '../steps/objects.ts';
import { type Model, nextOf, type SimulatedMember } from './model.ts';
import { changeConfig, liveMembers, quorumConfig, wouldHaveQuorum } from './raft.ts';

export type Outcome = 'done' | 'nothing' | 'moved' | 'failed';

/** What a step of a plan does to the model, with the preconditions that the real step checks. */
export function applyStep(model: Model, { step, args }: Step): Outcome {
  const action = actions[step];
  if (!action) throw new Error(`the simulation has no step ${step}`);
  return action(model, args);
}

// biome-ignore lint/suspicious/noExplicitAny: each step knows the type of its own arguments.
const actions: Record<string, (model: Model, args: any) => Outcome> = {
  recordIdentity(model, { resourceVersion, identity }: RecordIdentity) {
    if (resourceVersion !== String(model.resourceVersion)) return 'moved';
    model.identity = formatIdentity(identity);
    model.resourceVersion += 1;
    return 'done';
  },
  applyService(model, { object }: ApplyObject) {
    model.services = applied(model, model.services, object, serviceShape(object));
    return 'done';
  },
  applyBudget(model, { object }: ApplyObject) {
    model.budgets = applied(model, model.budgets, object, budgetShape(object));
    return 'done';
  },
  createClaim(model, { object }: CreateObject) {
    const { name } = object.metadata;
    const present = model.claims.find((claim) => claim.name === name);
    if (present) return present.deleting ? 'moved' : 'nothing';
    model.claims.push({
      name,
      uid: `claim-${nextOf(model)}`,
      ownerUid: model.cluster.uid,
      deleting: false,
      phase: 'Pending',
      madeFor: object.metadata.annotations?.[madeForAnnotation] ?? null,
      disk: undefined,
    });
    return 'done';
  },
  createPod(model, { object }: CreateObject) {
    const present = model.pods.find((pod) => pod.name === object.metadata.name);
    if (present) return present.deleting ? 'moved' : 'nothing';
    model.pods.push(podOf(model, object));
    return 'done';
  },
  deletePod(model, args: DeleteObject) {
    const outcome = deleteFrom(model, model.pods, args);
    const pod = model.pods.find(({ uid }) => uid === args.uid);
    if (pod && outcome === 'done') pod.isStuck = false;
    return outcome;
  },
  deleteClaim: (model, args: DeleteObject) => deleteFrom(model, model.claims, args),
  deleteService(model, { name }: DeleteObject) {
    model.services = model.services.filter((service) => service.name !== name);
    return 'done';
  },
  deleteBudget(model, { name }: DeleteObject) {
    model.budgets = model.budgets.filter((budget) => budget.name !== name);
    return 'done';
  },
  addMember(model, { name, peerUrl, learner, members: seen }: AddMember) {
    const config = quorumConfig(model);
    if (!config) return 'moved';
    if (config.some((member) => member.peerUrl === peerUrl)) return 'nothing';
    if (idsOf(config) !== seen.toSorted().join()) return 'moved';
    if (config.some((member) => member.isLearner || !member.started)) return 'moved';
    if (model.refusals > 0) {
      model.refusals -= 1;
      return 'failed';
    }
    const member = { id: `m${nextOf(model)}`, name, peerUrl, started: false, isLearner: learner };
    changeConfig(model, (members) => [...members, member]);
    return 'done';
  },
  promoteMember(model, { id }: PromoteMember) {
    const member = quorumConfig(model)?.find((listed) => listed.id === id);
    if (!member) return 'moved';
    const learner = liveMembers(model).find(({ disk }) => disk.memberId === id);
    if (!member.isLearner || !learner || learner.disk.log < model.acknowledged) return 'nothing';
    changeConfig(model, (members) =>
      members.map((other) => (other.id === id ? { ...other, isLearner: false } : other)),
    );
    return 'done';
  },
  removeMember(model, { id, isLearner, others }: RemoveMember) {
    const config = quorumConfig(model);
    if (!config?.some((member) => member.id === id)) return config ? 'nothing' : 'moved';
    const rest = config.filter((member) => member.id !== id);
    const voters = rest.filter((member) => !member.isLearner);
    if (!isLearner && !wouldHaveQuorum(model, rest)) return 'moved';
    if (idsOf(voters) !== idsOf(others) || model.leaderId === id) return 'moved';
    changeConfig(model, () => rest);
    return 'done';
  },
  moveLeader(model, { leaderId, targetId }: MoveLeader) {
    const target = liveMembers(model).some(({ disk }) => disk.memberId === targetId);
    if (model.leaderId !== leaderId || !target) return 'moved';
    model.leaderId = targetId;
    return 'done';
  },
  setImage(model, { name, uid, image, version, voter }: SetImage) {
    if (voter) {
      const config = quorumConfig(model);
      const voters = config?.filter((member) => !member.isLearner) ?? [];
      const able = voters.filter((member) => member.id !== voter.id && isLive(model, member)).length;
      if (!config || able < voter.needed || model.leaderId === voter.id) return 'moved';
      if (idsOf(voters) !== idsOf([{ id: voter.id }, ...voter.others])) return 'moved';
    }
    const pod = model.pods.find((candidate) => candidate.name === name);
    if (pod?.uid !== uid || pod.deleting) return 'moved';
    Object.assign(pod, { image, version, changedFrom: pod.containerId, isStuck: false, hindrance: null });
    return 'done';
  },
};

function applied(model: Model, present: ShapedFact[], { metadata }: KubeObject, shape: string): ShapedFact[] {
  const { name } = metadata;
  const fact = { name, uid: `applied-${nextOf(model)}`, ownerUid: model.cluster.uid, deleting: false, shape };
  return [...present.filter((other) => other.name !== name), fact];
}

const isLive = (model: Model, { id }: SimulatedMember): boolean =>
  liveMembers(model).some(({ disk }) => disk.memberId === id);

const idsOf = (members: Pick<SimulatedMember, 'id'>[]): string =>
  members
    .map(({ id }) => id)
    .sort()
    .join();

function deleteFrom(
  model: Model,
  objects: { name: string; uid: string; deleting: boolean }[],
  { name, uid, unlisted }: DeleteObject,
): Outcome {
  const config = quorumConfig(model);
  if (unlisted && (!config || config.some((member) => member.name === unlisted.name))) return 'moved';
  const object = objects.find((candidate) => candidate.name === name);
  if (!object) return 'nothing';
  if (object.uid !== uid) return 'moved';
  object.deleting = true;
  return 'done';
}

/** A pod as the model keeps it, read from the object that would be sent to Kubernetes. */
function podOf(model: Model, object: KubeObject) {
  const { containers, volumes } = object['spec'] as {
    containers: { command: string[]; image: string }[];
    volumes: { persistentVolumeClaim?: { claimName: string } }[];
  };
  const flags = new Map(
    containers[0]?.command.slice(1).map((flag) => {
      const [name = '', value = ''] = flag.split(/=(.*)/s);
      return [name, value] as const;
    }),
  );
  const version = object.metadata.annotations?.['etcd.version'] ?? '';
  return {
    name: object.metadata.name,
    uid: `pod-${nextOf(model)}`,
    ownerUid: model.cluster.uid,
    deleting: false,
    ip: null,
    phase: 'Pending',
    version,
    image: containers[0]?.image ?? '',
    madeFor: object.metadata.annotations?.[madeForAnnotation] ?? null,
    runs: version,
    reports: model.pods.find((other) => other.image === containers[0]?.image)?.reports ?? null,
    containerId: null,
    changedFrom: null,
    trouble: null,
    hindrance: null,
    isStuck: false,
    claimName: volumes[0]?.persistentVolumeClaim?.claimName ?? null,
    initialState: flags.get('--initial-cluster-state') ?? '',
    initialUrls: (flags.get('--initial-cluster') ?? '').split(',').map((entry) => entry.split('=')[1] ?? ''),
    peerUrl: flags.get('--initial-advertise-peer-urls') ?? '',
    disk: undefined,
    isUp: false,
    hasRun: false,
    frozenTicks: 0,
    hiddenTicks: 0,
  };
}
