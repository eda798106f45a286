import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age } from './columns.ts';
import { compileJsonPath } from './jsonpath.ts';

const object = {
  spec: { size: 3, ports: [{ port: 1 }, { port: 2 }] },
  metadata: { annotations: { 'a.b/c': 'x' } },
  status: {
    conditions: [
      { type: 'Available', status: 'True' },
      { type: 'Recovering', status: 'False' },
    ],
  },
};

const paths: [path: string, found: unknown[]][] = [
  ['.spec.size', [3]],
  ['.spec.nothing.at.all', []],
  ['.status.conditions[?(@.type=="Recovering")].status', ['False']],
  [".status.conditions[?(@.type=='Available')].status", ['True']],
  ['.spec.ports[*].port', [1, 2]],
  ['.spec.ports[1].port', [2]],
  [String.raw`.metadata.annotations.a\.b/c`, ['x']],
  [".metadata.annotations['a.b/c']", ['x']],
];

for (const [path, found] of paths) {
  test(`${path} finds ${JSON.stringify(found)}`, () =>
    assert.deepEqual(compileJsonPath(path)(object), found));
}

test('ages are written as kubectl writes them', () => {
  const now = new Date('2026-01-10T00:00:00Z');
  const after = (seconds: number): string => age(new Date(now.getTime() - seconds * 1000).toISOString(), now);
  const minute = 60;
  const hour = 3600;
  const day = 86_400;
  assert.deepEqual(
    [
      0,
      119,
      3 * minute,
      3 * minute + 5,
      15 * minute,
      3 * hour + minute,
      9 * hour,
      3 * day + hour,
      20 * day,
    ].map(after),
    ['0s', '119s', '3m', '3m5s', '15m', '3h1m', '9h', '3d1h', '20d'],
  );
  assert.equal(age(undefined, now), '<unknown>');
});
