import type { Plan, Step } from '../../../engine/contract.ts';
import { parseIdentity } from '../identity.ts';
import type { SetImage } from '../steps/image.ts';
import type { AddMember, PromoteMember, RemoveMember } from '../steps/membership.ts';
import type { CreateObject, DeleteObject } from '../steps/objects.ts';
import { quorumOf } from '../view.ts';
import { isFormed, type Model, type SimulatedMember } from './model.ts';
import { liveMembers, quorumConfig } from './raft.ts';
import { isEnding, knowsLearners, lowestRunning } from './versions.ts';

/** What no plan may do, judged by what is true in the model and not by what was observed. Answers what is broken. */
export function brokenRules(model: Model, plan: Plan): string[] {
  const disruptive = plan.steps.filter((step) => step.disruptive);
  const broken = plan.steps.flatMap((step) => rules.flatMap((rule) => rule(model, step) ?? []));
  return disruptive.length > 1 ? [...broken, `${disruptive.length} disruptive steps in one plan`] : broken;
}

type Rule = (model: Model, step: Step) => string | undefined;

const removalKeepsQuorum: Rule = (model, { step, args }) => {
  if (step !== 'removeMember') return undefined;
  const { id, name } = args as RemoveMember;
  const config = quorumConfig(model);
  if (!config) return `${name} is removed without quorum`;
  // Without a learner the voters are as many as with it.
  if (config.some((member) => member.id === id && member.isLearner)) return undefined;
  const rest = config.filter((member) => member.id !== id);
  return keepQuorum(model, rest) ? undefined : `${name} is removed, and the rest has no quorum`;
};

/** Whether these would have a majority of members that run and go on running. */
function keepQuorum(model: Model, config: SimulatedMember[], without?: string): boolean {
  const lasting = liveMembers(model).filter(({ pod }) => !isEnding(pod));
  const voters = config.filter((member) => !member.isLearner);
  const left = voters.filter(({ id }) => id !== without && lasting.some(({ disk }) => disk.memberId === id));
  return left.length >= quorumOf(voters.length);
}

const restartKeepsQuorum: Rule = (model, { step, args }) => {
  const { name, voter } = args as SetImage;
  if (step !== 'setImage') return undefined;
  const id = liveMembers(model).find(({ pod }) => pod.name === name)?.disk.memberId;
  const config = quorumConfig(model) ?? [];
  // Who is no voter, or does not run, or has no quorum to take part in, takes nothing away.
  if (!config.some((member) => member.id === id && !member.isLearner)) return undefined;
  if (!voter) return `${name} is restarted without asking the others`;
  if (model.leaderId === id) return `${name} is restarted while it leads`;
  return keepQuorum(model, config, id) ? undefined : `${name} is restarted, and the rest has no quorum`;
};

const learnersAreUnderstood: Rule = (model, { step, args }) =>
  step === 'addMember' && (args as AddMember).learner && !knowsLearners(lowestRunning(model))
    ? `a learner is added while ${lowestRunning(model)} runs`
    : undefined;

const leaderStays: Rule = (model, { step, args }) =>
  step === 'removeMember' && (args as RemoveMember).id === model.leaderId
    ? `${(args as RemoveMember).name} is removed while it leads`
    : undefined;

const oneChangeInFlight: Rule = (model, { step, args }) => {
  if (!['addMember', 'promoteMember', 'removeMember'].includes(step)) return undefined;
  const joining = quorumConfig(model)?.filter((member) => member.isLearner || !member.started) ?? [];
  if (joining.length === 0) return undefined;
  const { id } = args as PromoteMember | RemoveMember | { id?: undefined };
  return joining.some((member) => member.id === id)
    ? undefined
    : `${step} while ${joining.map((member) => member.name).join()} is joining`;
};

const noSecondBootstrap: Rule = (model, { step, args }) =>
  step === 'createPod' && isFormed(model) && /cluster-state=new/.test(JSON.stringify(args))
    ? `${(args as CreateObject).object.metadata.name} is started as a seed of a cluster that was formed`
    : undefined;

const numbersAreRecorded: Rule = (model, { step, args }) => {
  if (step !== 'createPod' && step !== 'createClaim') return undefined;
  const { name } = (args as CreateObject).object.metadata;
  const identity = parseIdentity(model.identity);
  const last = identity.state === 'recorded' ? identity.identity.lastNumber : undefined;
  return last !== undefined && Number(name.split('-').at(-1)) > last
    ? `${name} is made, but ${last} was given last`
    : undefined;
};

/** Nor does it hurt to delete what has never been put anywhere. */
const onlyStrangersAreDeleted: Rule = (model, { step, args }) => {
  if (step !== 'deletePod' && step !== 'deleteClaim') return undefined;
  const { name } = args as DeleteObject;
  const pod = model.pods.find((candidate) => candidate.name === name);
  if (step === 'deletePod' && (pod?.phase === 'Failed' || pod?.ip === null)) return undefined;
  const claim = model.claims.find((candidate) => candidate.name === name);
  if (step === 'deleteClaim' && claim?.phase === 'Pending') return undefined;
  const config = quorumConfig(model);
  if (!config) return `${step} ${name} without quorum`;
  return config.some((member) => member.name === name) ? `${step} ${name}, which etcd lists` : undefined;
};

const rules: Rule[] = [
  removalKeepsQuorum,
  restartKeepsQuorum,
  learnersAreUnderstood,
  leaderStays,
  oneChangeInFlight,
  noSecondBootstrap,
  onlyStrangersAreDeleted,
];

/** Judged when a step is about to be done, with the plan's earlier steps done. */
export const brokenBefore = (model: Model, step: Step): string[] =>
  [numbersAreRecorded(model, step) ?? []].flat();
