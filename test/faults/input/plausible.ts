import fc from 'fast-check';
import type { Schema } from '../../../libs/sandbox/api/schema.ts';

/**
 * Values that the schema of a field allows. Where a part of the Kubernetes API is passed on and the schema allows
 * anything, they are what a person might write there, by the field's name.
 */
export function plausible(name: string, schema: Schema, present: unknown): fc.Arbitrary<unknown> {
  const known = ofKubernetes[name];
  if (known) return known;
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return nearby(schema, typeof present === 'number' ? present : undefined);
    case 'string':
      return text(schema);
    case 'array':
      return fc.array(plausible(name, schema.items ?? {}, undefined), { maxLength: 3 });
    default:
      return record(schema);
  }
}

/** Mostly the neighbours of what is there: a bound may mean a lot of members. */
function nearby(schema: Schema, present: number | undefined): fc.Arbitrary<number> {
  const min = Number(schema['minimum'] ?? -1000);
  const max = Number(schema['maximum'] ?? 1000);
  if (present === undefined) return fc.integer({ min, max });
  const next = [present - 1, present, present + 1].filter((value) => value >= min && value <= max);
  return fc.constantFrom(...next);
}

function text(schema: Schema): fc.Arbitrary<string> {
  if (typeof schema['pattern'] === 'string') return fc.stringMatching(new RegExp(schema['pattern']));
  return fc.stringMatching(/^[a-z0-9]([a-z0-9./-]{0,20}[a-z0-9])?$/);
}

function record(schema: Schema): fc.Arbitrary<unknown> {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return labelMap;
  return fc.record(
    Object.fromEntries(fields.map(([name, property]) => [name, plausible(name, property, undefined)])),
    { requiredKeys: schema.required ?? [] },
  );
}

const word = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const labelKey = fc.oneof(
  word,
  fc.tuple(word, word).map(([prefix, name]) => `${prefix}.example.com/${name}`),
);
const labelMap = fc.dictionary(labelKey, word, { maxKeys: 3, noNullPrototype: true });
const quantity = fc.constantFrom('10m', '100m', '0.5', '1', '64Mi', '128Mi', '1Gi', '1e3', '2.5Gi');
const amounts = fc.record({ cpu: quantity, memory: quantity }, { requiredKeys: [] });

const toleration = fc.record(
  {
    key: labelKey,
    operator: fc.constantFrom('Exists', 'Equal'),
    effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
  },
  { requiredKeys: ['key'] },
);

const expression = fc.record({
  key: labelKey,
  operator: fc.constantFrom('In', 'NotIn'),
  values: fc.array(word, { minLength: 1, maxLength: 2 }),
});

const variable = fc.record({
  name: fc.stringMatching(/^X_[A-Z]{1,8}$/),
  value: fc.oneof(word, fc.string({ unit: 'binary', maxLength: 12 })),
});

/** By the name that a field has in a pod or in a claim. */
const ofKubernetes: Record<string, fc.Arbitrary<unknown>> = {
  labels: labelMap,
  annotations: fc.dictionary(labelKey, fc.string({ unit: 'grapheme', maxLength: 40 }), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
  nodeSelector: labelMap,
  resources: fc.record({ requests: amounts, limits: amounts }, { requiredKeys: [] }),
  tolerations: fc.array(toleration, { maxLength: 3 }),
  affinity: fc.record({
    nodeAffinity: fc.record({
      preferredDuringSchedulingIgnoredDuringExecution: fc.array(
        fc.record({
          weight: fc.integer({ min: 1, max: 100 }),
          preference: fc.record({ matchExpressions: fc.array(expression, { minLength: 1, maxLength: 2 }) }),
        }),
        { maxLength: 2 },
      ),
    }),
  }),
  securityContext: fc.record(
    { runAsUser: fc.integer({ min: 0, max: 65_535 }), runAsNonRoot: fc.boolean() },
    { requiredKeys: [] },
  ),
  etcdEnv: fc.array(variable, { minLength: 1, maxLength: 4 }),
  persistentVolumeClaimSpec: fc.record(
    {
      resources: fc.record({ requests: fc.record({ storage: fc.constantFrom('1Gi', '10Gi', '500Mi') }) }),
      storageClassName: word,
    },
    { requiredKeys: ['resources'] },
  ),
};
