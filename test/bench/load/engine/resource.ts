import { z } from 'zod';
import { type ResourceDefinition, resourceTypeOf } from '../../../../libs/kube/definition.ts';
import type { ResourceType } from '../../../../libs/kube/object.ts';

/** The smallest cluster there can be: one ConfigMap, and where it is given, one member that somebody plays. */
export const benchmarkSpec = z.object({
  value: z.string().default('').describe('What the ConfigMap holds.'),
  memberUrl: z.string().optional().describe('Where the member answers; without it, there is none.'),
});

export type BenchmarkSpec = z.infer<typeof benchmarkSpec>;

const conditionSchema = z.object({
  type: z.string().describe('Available or Blocked.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().optional().describe('The situation in one word.'),
  message: z.string().optional().describe('The situation in one sentence.'),
  lastTransitionTime: z.string().optional().describe('Since when the status is what it is.'),
  lastUpdateTime: z.string().optional().describe('When anything of it changed last.'),
  observedGeneration: z.number().int().optional().describe('The generation that it was seen for.'),
});

export const benchmarkResource = {
  group: 'bench.quorate.io',
  version: 'v1',
  kind: 'Benchmark',
  plural: 'benchmarks',
  singular: 'benchmark',
  shortNames: [],
  description: 'Work for the benchmark of Quorate.',
  spec: benchmarkSpec,
  status: z.object({
    value: z.string().optional().describe('What the ConfigMap holds at present.'),
    conditions: z.array(conditionSchema).optional().describe('What holds at present.'),
    observedGeneration: z.number().int().optional().describe('The generation that this is about.'),
  }),
  printerColumns: [],
} satisfies ResourceDefinition;

export const benchmarkType: ResourceType = resourceTypeOf(benchmarkResource);

export const configMapType: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
