import type { ActContext, Engine, StepOutcome } from '../../../../libs/engine/contract.ts';
import type { KubeObject } from '../../../../libs/kube/object.ts';
import { askMember, type BenchmarkFacts, observe } from './observe.ts';
import { engineName, plan } from './plan.ts';
import { type BenchmarkSpec, benchmarkResource, configMapType } from './resource.ts';

/**
 * An engine for measuring what everything but an application costs: it reads, decides, writes and is woken as any
 * other, and what it runs is one ConfigMap.
 */
export const benchmarkEngine: Engine<BenchmarkSpec, BenchmarkFacts> = {
  name: engineName,
  version: 1,
  resource: benchmarkResource,
  owned: [configMapType],
  observe,
  plan,
  look: {
    answers({ name, member }) {
      if (member === null) return {};
      return member.answer.ok ? { [name]: { address: member.url, answer: member.answer.value } } : undefined;
    },
    ask: askMember,
  },
  steps: { applyConfigMap },
};

async function applyConfigMap({ object }: { object: KubeObject }, context: ActContext): Promise<StepOutcome> {
  const applied = await context.kube.apply(configMapType, object, context.signal);
  const { name, uid = '' } = applied.metadata;
  return { outcome: 'done', object: { kind: applied.kind, name, uid } };
}
