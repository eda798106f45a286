import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { mergeApplied, removeFields } from './apply.ts';
import { changedFields, difference, fieldsOf, intersection, pathsOf, union } from './fieldset.ts';
import type { Schema } from './schema.ts';

const schema: Schema = {
  type: 'object',
  properties: {
    size: { type: 'integer' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    selector: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
    args: { type: 'array', items: { type: 'string' } },
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    env: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
    },
  },
};

describe('the fields of an object', () => {
  test('go down to scalars, items by key, and stop at what is atomic', () => {
    const value = {
      size: 1,
      selector: { a: 'b' },
      args: ['x'],
      finalizers: ['f'],
      env: [{ name: 'A', value: '1' }],
    };
    assert.deepEqual(fieldsOf(value, schema), {
      'f:size': {},
      'f:selector': {},
      'f:args': {},
      'f:finalizers': { 'v:"f"': {} },
      'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
    });
  });

  test('that changed are those with a new or another value', () => {
    const old = {
      size: 1,
      args: ['x'],
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    };
    const next = { size: 1, args: ['y'], env: [{ name: 'B', value: '3' }], labels: { a: 'b' } };
    const paths = pathsOf(changedFields(old, next, schema)).sort();
    assert.deepEqual(paths, ['.args', '.env[name="B"].value', '.labels.a']);
  });
});

describe('an applied configuration', () => {
  test('is merged into the live object field by field and item by item', () => {
    const live = {
      size: 1,
      labels: { a: '1', b: '2' },
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    };
    const applied = {
      labels: { a: '9' },
      env: [
        { name: 'C', value: '3' },
        { name: 'B', value: '9' },
      ],
    };
    assert.deepEqual(mergeApplied(live, applied, schema), {
      size: 1,
      labels: { a: '9', b: '2' },
      env: [
        { name: 'C', value: '3' },
        { name: 'B', value: '9' },
        { name: 'A', value: '1' },
      ],
    });
  });

  test('that names less takes the rest away, with containers it emptied', () => {
    const live = {
      size: 1,
      labels: { a: '1' },
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    };
    const gone = difference(
      fieldsOf(live, schema),
      fieldsOf({ size: 1, env: [{ name: 'B', value: '2' }] }, schema),
    );
    assert.deepEqual(removeFields(live, gone, schema), { size: 1, env: [{ name: 'B', value: '2' }] });
  });
});

describe('sets of fields', () => {
  const names = fc.constantFrom('A', 'B');
  const variable = fc.record({ name: names, value: fc.constantFrom('1', '2') }, { noNullPrototype: true });
  const value = fc.record(
    {
      size: fc.nat(3),
      labels: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y'), {
        minKeys: 1,
        noNullPrototype: true,
      }),
      finalizers: fc.uniqueArray(fc.constantFrom('f', 'g', 'h'), { minLength: 1 }),
      env: fc.uniqueArray(variable, {
        selector: (item) => item.name,
        minLength: 1,
      }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );

  test('behave as sets', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [left, right] = [fieldsOf(a, schema), fieldsOf(b, schema)];
        const leaves = (set: typeof left) => new Set(pathsOf(set));
        assert.deepEqual(leaves(union(left, right)), leaves(left).union(leaves(right)));
        assert.deepEqual(leaves(difference(left, right)), leaves(left).difference(leaves(right)));
        assert.deepEqual(leaves(intersection(left, right)), leaves(left).intersection(leaves(right)));
      }),
    );
  });

  test('applying twice changes nothing the second time', () => {
    fc.assert(
      fc.property(value, value, (live, applied) => {
        const once = mergeApplied(live, applied, schema);
        assert.deepEqual(mergeApplied(once, applied, schema), once);
      }),
    );
  });

  test('what one applied and then no longer names leaves the object as if it never had', () => {
    fc.assert(
      fc.property(value, (applied) => {
        // An empty set of fields stands for the whole value, which nobody asks to remove.
        fc.pre(Object.keys(applied).length > 0);
        const removed = removeFields({ other: 1, ...applied }, fieldsOf(applied, schema), schema);
        assert.deepEqual(removed, { other: 1 });
      }),
    );
  });
});
