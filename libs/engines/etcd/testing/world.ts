import type { Plan, Step } from '../../../engine/contract.ts';
import { budgetShape, disruptionBudget } from '../budget.ts';
import type { ClaimFact, EtcdFacts, MemberFact, PodFact, ShapedFact } from '../facts.ts';
import { formatIdentity, type Identity, parseIdentity } from '../identity.ts';
import { clientUrl, memberName, peerUrl } from '../names.ts';
import { clientService, headlessService, serviceShape } from '../objects.ts';
import { plan } from '../plan.ts';
import { type EtcdSpec, etcdSpec } from '../resource.ts';
import { quorumOf } from '../view.ts';

/** A member as a test sketches it; what is not said is well: it runs, answers, is listed, started and votes. */
export interface Sketch {
  number: number;
  pod?: 'none' | 'deleting' | 'ended';
  /** What the kubelet says of it; such a member does not answer. */
  trouble?: string;
  /** `kept` where the cluster has claims, `none` where it has none. */
  claim?: 'kept' | 'deleting' | 'lost' | 'none';
  /** It runs, but does not answer. */
  silent?: true;
  learner?: true;
  /** etcd lists it, but it has never run. */
  unstarted?: true;
  /** Kubernetes has it, but etcd does not list it. */
  unlisted?: true;
  leads?: true;
  /** What else is to be said of its pod and its claim. */
  podFact?: Partial<PodFact>;
  claimFact?: Partial<ClaimFact>;
  /** What its pod was made for or last changed to; that of the cluster unless said. */
  version?: string;
  /** What its process says; what its pod was made for unless said. */
  runs?: string;
  /** Its pod was changed, and its container has not been restarted yet. */
  changing?: true;
}

export interface WorldSketch {
  size?: number;
  spec?: Record<string, unknown>;
  claims?: true;
  version?: string;
  /** `null`: nothing is recorded yet; a text: what the annotation holds. */
  identity?: Partial<Identity> | string | null;
  members?: Sketch[];
  /** The members answer, but none reaches quorum. By default a majority that answers has it. */
  quorum?: false;
  services?: 'none' | 'headless';
  /** Seconds since the resource was created. */
  ageSeconds?: number;
  /** What else is to be changed in the facts. */
  facts?: (facts: EtcdFacts) => Partial<EtcdFacts>;
}

export const uid = 'uid-of-the-resource';
const cluster = { namespace: 'default', name: 'example', uid };

/** A sketch of several well members. */
export const well = (...numbers: number[]): Sketch[] => numbers.map((number) => ({ number }));

/** The plan for a sketched world. */
export function planFor(sketch: WorldSketch): Plan {
  const { spec, facts, nowMs } = worldOf(sketch);
  return plan(spec, facts, nowMs);
}

/** Spec, facts and time of a sketched world: 60 s old, of the size of its members. */
export function worldOf(sketch: WorldSketch): { spec: EtcdSpec; facts: EtcdFacts; nowMs: number } {
  const { members = [], version = '3.4.23', size = members.length, ageSeconds = 60 } = sketch;
  const pod = sketch.claims ? { pod: { persistentVolumeClaimSpec: {} } } : {};
  const spec = etcdSpec.parse({ size, version, ...pod, ...sketch.spec });
  const facts: EtcdFacts = {
    namespace: cluster.namespace,
    name: cluster.name,
    resource: {
      uid,
      resourceVersion: '7',
      createdAtMs: 0,
      deleting: false,
      orphaning: false,
      identity: parseIdentity(annotationOf(sketch, version)),
    },
    pods: { ok: true, value: members.flatMap((member) => podOf(member, sketch, version)) },
    claims: { ok: true, value: members.flatMap((member) => claimOf(member, sketch)) },
    services: { ok: true, value: servicesOf(sketch) },
    budgets: { ok: true, value: sketch.services === undefined ? [budgetOf(members)] : [] },
    nodes: {},
    members: Object.fromEntries(
      members
        .filter((member) => member.pod !== 'none' && member.pod !== 'ended')
        .map((member) => [nameOf(member), answersOf(member, members, sketch, spec)]),
    ),
  };
  return { spec, facts: { ...facts, ...sketch.facts?.(facts) }, nowMs: ageSeconds * 1000 };
}

const nameOf = ({ number }: Sketch): string => memberName(cluster.name, number);

function annotationOf({ identity, members = [] }: WorldSketch, version: string): string | undefined {
  if (identity === null) return undefined;
  if (typeof identity === 'string') return identity;
  const lastNumber = Math.max(0, ...members.map(({ number }) => number));
  return formatIdentity({ seeds: members.length, lastNumber, formed: true, version, ...identity });
}

function podOf(member: Sketch, { claims }: WorldSketch, version: string): PodFact[] {
  if (member.pod === 'none') return [];
  const name = nameOf(member);
  return [
    {
      name,
      uid: `pod-${member.number}`,
      ownerUid: uid,
      deleting: member.pod === 'deleting',
      ip: `10.0.0.${member.number}`,
      phase: member.pod === 'ended' ? 'Failed' : 'Running',
      ready: answers(member),
      version: member.version ?? version,
      containerId: 'container',
      changedFrom: member.changing ? 'container' : null,
      claimName: claims ? name : null,
      trouble: member.trouble ?? null,
      ...{ resourceVersion: '3', image: `quay.io/coreos/etcd:v${version}`, madeFor: null },
      madeWith: null,
      ...{ nodeName: 'node', hasRun: true, hindrance: null, endsByMs: null },
      ...member.podFact,
    },
  ];
}

function claimOf(member: Sketch, { claims }: WorldSketch): ClaimFact[] {
  const { claim = claims ? 'kept' : 'none', number } = member;
  if (claim === 'none') return [];
  const phase = claim === 'lost' ? 'Lost' : 'Bound';
  const deleting = claim === 'deleting';
  const identified = { name: nameOf(member), uid: `claim-${number}`, ownerUid: uid, deleting, phase };
  return [
    {
      ...identified,
      resourceVersion: '4',
      createdAtMs: 0,
      storageClass: null,
      madeFor: null,
      ...member.claimFact,
    },
  ];
}

/** One that carries the cluster's labels, but has no owner. */
export const strayClaim: ClaimFact = {
  ...{ name: 'example-1', uid: 'x', ownerUid: null, deleting: false, phase: 'Bound' },
  ...{ resourceVersion: '4', createdAtMs: 0, storageClass: null, madeFor: null },
};

/** As it should be for these members. */
function budgetOf(members: Sketch[]): ShapedFact {
  const voters = members.filter((member) => !member.learner && !member.unlisted).length;
  const lettingGo = voters >= 3 && !members.some((member) => member.changing);
  const budget = disruptionBudget(cluster, members.length - (lettingGo ? 1 : 0));
  const shape = budgetShape(budget);
  return { name: cluster.name, uid: 'budget', ownerUid: uid, deleting: false, shape };
}

function servicesOf({ services }: WorldSketch): ShapedFact[] {
  const objects = [headlessService(cluster), clientService(cluster)];
  const present = services === 'none' ? [] : services === 'headless' ? objects.slice(0, 1) : objects;
  return present.map((service) => {
    const { name } = service.metadata;
    return { name, uid: `service-${name}`, ownerUid: uid, deleting: false, shape: serviceShape(service) };
  });
}

const answers = ({ pod, silent, unstarted, unlisted, trouble }: Sketch): boolean =>
  pod === undefined && !silent && !unstarted && !unlisted && trouble === undefined;

function answersOf(member: Sketch, all: Sketch[], sketch: WorldSketch, spec: EtcdSpec): MemberFact {
  if (!answers(member)) {
    const silence = { ok: false as const, error: 'the etcd member could not be reached' };
    return { status: silence, quorum: silence, members: silence };
  }
  const listed = all.filter((other) => !other.unlisted);
  const voters = listed.filter((other) => !other.learner);
  const answering = voters.filter(answers);
  const hasQuorum = sketch.quorum !== false && answering.length >= quorumOf(voters.length);
  const leader = answering.find((other) => other.leads) ?? answering[0];
  const status = {
    memberId: idOf(member),
    clusterId: 'c',
    leaderId: hasQuorum && leader ? idOf(leader) : '0',
    version: member.runs ?? member.version ?? sketch.version ?? '3.4.23',
    isLearner: member.learner === true,
    errors: [],
  };
  const refused = { ok: false as const, error: member.learner ? 'not supported for learner' : 'no leader' };
  const members = listed.map((other) => ({
    id: idOf(other),
    name: other.unstarted ? '' : nameOf(other),
    peerUrls: [peerUrl(cluster, spec, other.number)],
    clientUrls: other.unstarted ? [] : [clientUrl(cluster, spec, other.number)],
    isLearner: other.learner === true,
  }));
  return {
    status: { ok: true, value: status },
    quorum: hasQuorum && !member.learner ? { ok: true, value: true } : refused,
    members: member.learner ? refused : { ok: true, value: members },
  };
}

export const idOf = ({ number }: Pick<Sketch, 'number'>): string => `id${number}`;

/** The steps in short: what is done to what. The disruption budget follows all of it and has tests of its own. */
export function stepsOf(plan: Plan): string[] {
  return withoutBudget(plan).map((step) => `${step.step} ${subjectOf(step)}`.trim());
}

const withoutBudget = ({ steps }: Plan): Step[] => steps.filter(({ step }) => step !== 'applyBudget');

function subjectOf({ args }: Step): string {
  const { name, targetName, object, identity } = args as {
    name?: string;
    targetName?: string;
    object?: { metadata: { name: string } };
    identity?: Identity;
  };
  const recorded = identity && `${identity.formed ? 'formed' : 'unformed'} ${identity.lastNumber}`;
  return name ?? targetName ?? object?.metadata.name ?? recorded ?? '';
}

/** The arguments of the plan's first step, the budget aside. */
export function firstArgs<Args>(plan: Plan): Args {
  const [first] = withoutBudget(plan);
  if (!first) throw new Error('the plan has no step');
  return first.args as Args;
}

/** The flags of etcd in the pod that a step of the plan makes. */
export function flagsOf({ steps }: Plan, pod: string): Record<string, string> {
  const made = steps.find((step) => step.step === 'createPod' && subjectOf(step) === pod);
  if (!made) throw new Error(`the plan does not make pod ${pod}`);
  const { object } = made.args as { object: { spec: { containers: { command: string[] }[] } } };
  const flags = object.spec.containers[0]?.command.slice(1) ?? [];
  return Object.fromEntries(flags.map((flag) => flag.slice(2).split(/=(.*)/s, 2)));
}
