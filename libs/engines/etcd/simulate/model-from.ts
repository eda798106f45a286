import { type ClaimFact, type EtcdFacts, isBeforeChange, type PodFact } from '../facts.ts';
import { formatIdentity } from '../identity.ts';
import { memberNumber, peerUrl } from '../names.ts';
import { type EtcdSpec, etcdSpec } from '../resource.ts';
import { isSameVersion, lowestVersion } from '../versions.ts';
import { hasData, type Member, membershipOf, rememberedMembers } from '../view.ts';
import {
  createModel,
  type Disk,
  type Model,
  type SimulatedClaim,
  type SimulatedMember,
  type SimulatedPod,
} from './model.ts';

/**
 * The model of a cluster as it was observed, so that it can be seen ahead. What cannot be seen is taken for what it
 * most likely is: a member that does not answer has its data as long as nothing says otherwise, and stays silent; one
 * that is just beginning comes up. `undefined` where something could not be read.
 */
export function modelFrom(spec: EtcdSpec | undefined, facts: EtcdFacts, nowMs: number): Model | undefined {
  const { pods, claims, services, budgets, resource } = facts;
  if (!pods.ok || !claims.ok || !services.ok || !budgets.ok) return undefined;
  const owner = resource?.uid ?? pods.value[0]?.ownerUid ?? '';
  const identity = resource?.identity;
  const recorded = identity?.state === 'recorded' ? identity.identity : undefined;
  const assumed = spec ?? etcdSpec.parse({ size: 1 });
  const membership = membershipOf(facts, owner);
  const members = membership?.members ?? rememberedMembers(facts, owner) ?? [];
  const model = createModel(assumed);
  const known: Known = { facts, nowMs, spec: assumed, members, config: members.map(listed), owner };
  Object.assign(model, {
    nowMs,
    cluster: { namespace: facts.namespace, name: facts.name, uid: owner },
    resource: resource === null ? 'gone' : resource.deleting ? 'deleting' : 'there',
    resourceVersion: Number(resource?.resourceVersion) || 1,
    createdAtMs: resource?.createdAtMs ?? 0,
    identity: recorded ? formatIdentity(recorded) : identity?.state === 'damaged' ? identity.text : undefined,
    pods: pods.value.map((pod) => podFrom(known, pod)),
    claims: claims.value.map((claim) => claimFrom(known, claim)),
    services: services.value,
    budgets: budgets.value,
    leaderId: members.find((member) => member.isLeader)?.id,
    clusterVersion: lowestVersion(
      pods.value.filter((pod) => members.some(({ name }) => name === pod.name)).map(({ version }) => version),
    ),
  } satisfies Partial<Model>);
  return model;
}

interface Known {
  facts: EtcdFacts;
  nowMs: number;
  spec: EtcdSpec;
  members: Member[];
  config: SimulatedMember[];
  owner: string;
}

const listed = ({ id, name, peerUrl: url, started, isLearner }: Member): SimulatedMember => ({
  id,
  name,
  peerUrl: url,
  started,
  isLearner,
});

/** Everybody's log is taken for equally long: of members that are behind, nothing can be seen from outside. */
function diskOf({ facts, members, config }: Known, name: string): Disk | undefined {
  const status = facts.members[name]?.status;
  if (status?.ok) return { memberId: status.value.memberId, log: 1, config };
  const member = members.find((candidate) => candidate.name === name);
  return member?.started && hasData(member) ? { memberId: member.id, log: 1, config } : undefined;
}

function podFrom(known: Known, pod: PodFact): SimulatedPod {
  const { facts, spec, members, config, owner } = known;
  const { name, uid, ownerUid, deleting, ip, phase, version, image } = pod;
  const isOwn = ownerUid === owner;
  const member = isOwn ? members.find((candidate) => candidate.name === name) : undefined;
  const answers = isOwn && facts.members[name]?.status.ok === true;
  const disk = isOwn ? diskOf(known, name) : undefined;
  const number = memberNumber(facts.name, name) ?? 0;
  const url = member?.peerUrl ?? peerUrl(facts, spec, number);
  const isSeed = config.length === 0;
  return {
    ...{ name, uid, ownerUid, deleting, ip, phase, version, image },
    madeFor: pod.madeFor,
    containerId: pod.containerId,
    changedFrom: pod.changedFrom,
    ...versionsOf(known, pod),
    trouble: pod.trouble,
    hindrance: pod.hindrance,
    isStuck: isStuck(known, pod, disk !== undefined),
    claimName: pod.claimName,
    initialState: isSeed ? 'new' : 'existing',
    // One that has data, or had some, is not told of the others.
    initialUrls: isSeed ? seedUrls(known) : member?.started ? [url] : config.map((other) => other.peerUrl),
    peerUrl: url,
    disk: pod.claimName === null ? disk : undefined,
    isUp: answers,
    hasRun: pod.hasRun,
    frozenTicks: 0,
    hiddenTicks: 0,
  };
}

/** Before its container is started anew, it runs what it ran; an image may hold another version than its tag says. */
function versionsOf({ facts }: Known, pod: PodFact): Pick<SimulatedPod, 'runs' | 'reports'> {
  const status = facts.members[pod.name]?.status;
  const said = status?.ok ? status.value.version : pod.version;
  if (isBeforeChange(pod)) return { runs: said, reports: null };
  return { runs: pod.version, reports: isSameVersion(said, pod.version) ? null : said };
}

function seedUrls({ facts, spec }: Known): string[] {
  const identity = facts.resource?.identity;
  const seeds = identity?.state === 'recorded' ? identity.identity.seeds : 0;
  return Array.from({ length: seeds }, (_, index) => peerUrl(facts, spec, index + 1));
}

/** A pod that ought to run, or to be gone, and is not: there is no sign that it will change by itself. */
function isStuck({ facts, nowMs }: Known, pod: PodFact, hasData: boolean): boolean {
  const { name, hindrance, deleting, endsByMs } = pod;
  if (deleting) return endsByMs !== null && endsByMs < nowMs;
  return !facts.members[name]?.status.ok && (hindrance !== null || hasData);
}

function claimFrom(known: Known, claim: ClaimFact): SimulatedClaim {
  const { name, uid, ownerUid, deleting, phase, madeFor } = claim;
  const disk = ownerUid === known.owner ? diskOf(known, name) : undefined;
  return { name, uid, ownerUid, deleting, phase, madeFor, disk };
}
