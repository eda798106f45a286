import fc from 'fast-check';
import type { Definition } from './definition.ts';
import { type Edit, Raw } from './edit.ts';
import type { Expected } from './families.ts';

/** Edits of what surrounds a spec: type, metadata and our own annotations. */

interface Around {
  edit: Edit;
  expected: Expected;
}

const around = (expected: Expected, path: Edit['path'], values: unknown[]): Around[] =>
  values.map((value) => ({ expected, edit: value === undefined ? { path } : { path, value } }));

const long = 'x'.repeat(300_000);

/** Who an object is, and what no client writes. */
export function metadataEdits({ group }: Definition): fc.Arbitrary<Around> {
  return fc.constantFrom(
    ...around('refused', ['apiVersion'], [`${group}/v9`, 'v1', 'x/y/z', 7, [], '']),
    ...around('refused', ['kind'], ['Etcd', 'Pod', 'pod', 7, {}]),
    ...around('refused', ['metadata'], ['x', 7, [1]]),
    ...around('refused', ['metadata', 'name'], ['Other', 'other', '../x', 7, {}]),
    ...around('refused', ['metadata', 'namespace'], ['other', 7]),
    ...around(
      'refused',
      ['metadata', 'labels'],
      ['x', [1], { a: 1 }, { 'a b': 'c' }, { a: 'not a value!' }, { a: 'x'.repeat(64) }],
    ),
    ...around(
      'refused',
      ['metadata', 'annotations'],
      ['x', [1], { a: 1 }, { 'a b': 'c' }, { a: true }, { a: long }],
    ),
    ...around('refused', ['metadata', 'finalizers'], ['x', [1], ['no slash or dot!'], [{}]]),
    ...around('refused', ['metadata', 'ownerReferences'], ['x', [{}], [{ kind: 'Pod' }]]),
    ...around('refused', ['metadata', 'uid'], ['another']),
    ...around('refused', ['metadata', 'resourceVersion'], ['1', 'x', 7]),
    ...around('either', ['metadata', 'generation'], [99, -1, 'x']),
    ...around('either', ['metadata', 'creationTimestamp'], ['2001-01-01T00:00:00Z', 'yesterday', null, 7]),
    ...around('either', ['metadata', 'deletionTimestamp'], ['2001-01-01T00:00:00Z', 'soon']),
    ...around('either', ['metadata', 'generateName'], ['x-', 7]),
    ...around('either', ['metadata', 'unknown'], ['x']),
    ...around(
      'accepted',
      ['metadata', 'labels'],
      [
        { team: 'a', 'app.kubernetes.io/managed-by': 'somebody' },
        { etcd_cluster: 'other', 'quorate.io/cluster': 'other' },
      ],
    ),
    ...around(
      'accepted',
      ['metadata', 'annotations', 'example.com/note'],
      ['', '\u0000\u{1F600}', 'x'.repeat(100_000)],
    ),
    ...around('either', ['status'], [{ phase: 'Failed', size: 0, members: { ready: [] } }, 'x', null]),
    ...around('either', ['extra'], ['x', {}]),
    ...around('refused', ['spec'], [[], 'x', 7, true]),
  ) as fc.Arbitrary<Around>;
}

/** What we remember about a cluster in its annotations, lost, torn or contradicted. */
export function annotationEdits(): fc.Arbitrary<Around> {
  const identity = fc.record(
    {
      seeds: fc.constantFrom(0, 1, 2, 3, 5, 100),
      lastNumber: fc.constantFrom(0, 1, 2, 7, 1000, 999_999_999, 2 ** 31, Number.MAX_SAFE_INTEGER),
      formed: fc.boolean(),
      version: fc.constantFrom('3.4.23', '3.5.16', '3.3.0', '9.9.9', 'latest', ''),
      upgradingFrom: fc.constantFrom('3.4.23', '3.3.27', 'x'),
    },
    { requiredKeys: ['seeds', 'lastNumber', 'formed', 'version'] },
  );
  const torn = fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '{}',
    '"x"',
    '7',
    '{"seeds":"1"}',
    'x'.repeat(100_000),
    '{"formed":true}',
  );
  const at = (name: string, values: fc.Arbitrary<string>, expected: Expected = 'accepted') =>
    values.map((value): Around => ({ expected, edit: { path: ['metadata', 'annotations', name], value } }));
  return fc.oneof(
    at('quorate.io/identity', torn),
    at(
      'quorate.io/identity',
      identity.map((value) => JSON.stringify(value)),
    ),
    at(
      'quorate.io/identity',
      identity.map((value) => JSON.stringify({ ...value, formed: true, extra: 1 })),
    ),
    fc.constant<Around>({ expected: 'accepted', edit: { path: ['metadata', 'annotations'] } }),
    at('quorate.io/approval', fc.constantFrom('required', 'Required', 'yes', '')),
    at('quorate.io/accepted-spec', torn),
    at('quorate.io/approved-plan', torn),
    at('etcd.database.coreos.com/scope', fc.constantFrom('clusterwide', 'x')),
    fc.constant<Around>({
      expected: 'refused',
      edit: { path: ['metadata', 'annotations', 'quorate.io/identity'], value: new Raw('{"a":1}') },
    }),
  );
}
