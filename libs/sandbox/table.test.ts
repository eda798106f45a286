import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../kube/object.ts';
import { createTable } from './table.ts';

const name = fc.constantFrom('a', 'a-b', 'a.b', 'b', 'b0');
const change = fc.record({ namespace: name, name, isDeletion: fc.boolean() });

test('lists what was set and not deleted, in the order of namespace/name', () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const table = createTable();
      const model = new Map<string, KubeObject>();
      for (const { namespace, name, isDeletion } of changes) {
        const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } };
        if (isDeletion) table.delete(namespace, name);
        else table.set(object);
        if (isDeletion) model.delete(`${namespace}/${name}`);
        else model.set(`${namespace}/${name}`, object);
        const ordered = [...model].sort(([one], [other]) => (one < other ? -1 : 1));
        assert.deepEqual(
          table.list(),
          ordered.map(([, each]) => each),
        );
        assert.deepEqual(
          table.list(namespace),
          ordered.flatMap(([, each]) => (each.metadata.namespace === namespace ? [each] : [])),
        );
        assert.equal(table.get(namespace, name), model.get(`${namespace}/${name}`));
      }
    }),
  );
});
