import { type ClusterStatus, labelsOf, type Plan, type Step } from '../../../../libs/engine/contract.ts';
import { apiVersionOf, type KubeObject } from '../../../../libs/kube/object.ts';
import type { BenchmarkFacts } from './observe.ts';
import { type BenchmarkSpec, benchmarkType } from './resource.ts';

export const engineName = 'benchmark';

/** A member that fails is to be seen within 15 s; some of that is for who waits behind others. */
const lookAgainMs = 10_000;

/** Decides as any engine does; the situations in order of precedence. */
export function plan(spec: BenchmarkSpec | undefined, facts: BenchmarkFacts): Plan {
  const { name, owner, configMaps, member } = facts;
  if (spec === undefined || owner === null) {
    // The garbage collector of Kubernetes takes the ConfigMap away.
    return { reason: 'Gone', message: `${name} is gone`, steps: [], status: undefined };
  }
  if (!configMaps.ok) return unavailable('Unreadable', configMaps.error);
  const present = configMaps.value.find((each) => each.name === name);
  if (present?.value !== spec.value) {
    const apply: Step = {
      step: 'applyConfigMap',
      why: `${present === undefined ? 'make' : 'change'} the ConfigMap ${name}`,
      args: { object: configMap(facts, owner, spec.value) },
    };
    return { ...unavailable('Applying', apply.why), steps: [apply] };
  }
  if (member?.answer.ok === false) {
    return { ...unavailable('MemberSilent', member.answer.error), requeueAfterMs: lookAgainMs };
  }
  const message = `the ConfigMap ${name} is as wanted`;
  return {
    ...{ reason: 'Stable', message, steps: [], status: status('True', 'Stable', message, spec.value) },
    ...(member && { requeueAfterMs: lookAgainMs }),
  };
}

const unavailable = (reason: string, message: string): Plan => ({
  reason,
  message,
  steps: [],
  status: status('False', reason, message),
});

const status = (
  available: 'True' | 'False',
  reason: string,
  message: string,
  value?: string,
): ClusterStatus => ({
  ...(value !== undefined && { value }),
  conditions: [{ type: 'Available', status: available, reason, message }],
});

function configMap({ namespace, name }: BenchmarkFacts, owner: string, value: string): KubeObject {
  const { kind } = benchmarkType;
  const reference = { apiVersion: apiVersionOf(benchmarkType), kind, name, uid: owner, controller: true };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace,
      labels: labelsOf({ engine: engineName, namespace, name }),
      ownerReferences: [reference],
    },
    data: { value },
  };
}
