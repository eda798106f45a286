import type { Answer } from '../../engine/contract.ts';
import type { EtcdFacts } from './facts.ts';

/**
 * What this engine decides otherwise than an older version of it would have, so that old recordings replay as they
 * were. Whoever changes what a plan decides for the same facts raises `version`, adds a flag here and asks for it
 * where the decision is made; docs/decision-record.md says what else. Versions 1 and 2 were never released: what they
 * would have done about a changed spec.version is not kept.
 */
export const version = 5;

interface Flag {
  /** The first version that decides the new way. */
  since: number;
  before: string;
  now: string;
}

export const flags = {
  disruptionBudget: {
    since: 2,
    before:
      'a cluster has no disruption budget; nothing but services is applied, so no step says which kind it is',
    now: 'every formed cluster has one',
  },
  rollingUpgrade: {
    since: 3,
    before: 'no upgrade is ever under way, and pods carry no note of their image',
    now: 'a changed spec.version is brought to one member after the other',
  },
  formedForGood: {
    since: 4,
    before: 'an identity that says that the cluster has not formed is believed, whatever exists of it',
    now: 'where parts exist that only a formed cluster has, it is corrected',
  },
  orphaning: {
    since: 4,
    before: 'nothing tells that a resource is deleted without what it owns',
    now: 'what it owns is left alone while Kubernetes takes its name off it',
  },
  specApplied: {
    since: 4,
    before: 'nothing tells which changes of the spec the running pods were not made with',
    now: 'the condition SpecApplied does, and pods carry a note of what they were made with',
  },
  containerTold: {
    since: 5,
    before:
      'in an upgrade the next member is changed when the one before answers, though Kubernetes may still call it ready as the container that it was',
    now: 'it waits until Kubernetes tells of the new container, so that no two pods are found not ready at once',
  },
  degraded: {
    since: 3,
    before: 'what hinders a cluster from outside is not told',
    now: 'the condition Degraded tells it, and a pass looks again when it is due',
  },
  madeFor: {
    since: 2,
    before: 'pods and claims carry no note of the spec that they were made for',
    now: 'they do, and those that could not begin are made again when it was corrected',
  },
} as const satisfies Record<string, Flag>;

/** Asks whether a decision is to be made the new way. */
export type Behaves = (flag: keyof typeof flags) => boolean;

export const behaviourOf =
  (asVersion: number): Behaves =>
  (flag) =>
    asVersion >= flags[flag].since;

/** The facts of any version as those of the present one: what was not gathered then says nothing. */
export function completeFacts(facts: EtcdFacts, asVersion: number): EtcdFacts {
  if (asVersion >= version) return facts;
  const known: Partial<EtcdFacts> = facts;
  return {
    ...facts,
    resource: facts.resource && { ...{ orphaning: false }, ...facts.resource },
    budgets: known.budgets ?? { ok: true, value: [] },
    nodes: known.nodes ?? {},
    pods: completed(facts.pods, unknownOfPod),
    claims: completed(facts.claims, { createdAtMs: 0, storageClass: null, madeFor: null }),
  };
}

const unknownOfPod = {
  ...{ nodeName: null, image: '', hasRun: true, containerId: null, changedFrom: null },
  ...{ madeFor: null, madeWith: null, hindrance: null, endsByMs: null },
};

function completed<Fact>(answer: Answer<Fact[]>, unknown: Partial<Fact>): Answer<Fact[]> {
  return answer.ok ? { ok: true, value: answer.value.map((fact) => ({ ...unknown, ...fact })) } : answer;
}
