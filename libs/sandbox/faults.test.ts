import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFaults } from './faults.ts';

test('a rule hits the n-th matching request, as often as it says', () => {
  const faults = createFaults();
  faults.set([{ verb: 'create', resource: 'pods', nth: 2, times: 1, status: 500 }], '7');
  const create = { verb: 'create', resource: 'pods', namespace: 'default', name: undefined };
  assert.deepEqual(faults.next({ ...create, verb: 'get' }), {});
  assert.deepEqual(
    [faults.next(create), faults.next(create), faults.next(create)],
    [{}, { status: 500 }, {}],
  );
});

test('a stale list is the one of when the rule was set; a frozen watch is one that a rule matches', () => {
  const faults = createFaults();
  faults.set(
    [
      { resource: 'pods', staleList: true },
      { verb: 'watch', namespace: 'a', freezeWatch: true },
    ],
    '7',
  );
  assert.deepEqual(faults.next({ verb: 'list', resource: 'pods' }), { listAt: '7' });
  assert.deepEqual(faults.next({ verb: 'get', resource: 'pods' }), {});
  const watch = { verb: 'watch', resource: 'pods', namespace: 'a' };
  assert.equal(faults.frozen(watch), true);
  assert.equal(faults.frozen({ ...watch, namespace: 'b' }), false);
  faults.set([], '8');
  assert.equal(faults.frozen(watch), false);
});

test('rules that are wrong are refused by name', () => {
  assert.throws(() => createFaults().set([{ statuss: 500 }], '1'), /statuss/);
});

test('a rule for all namespaces leaves requests for one alone, and ends or disturbs open watches', () => {
  const faults = createFaults();
  const all = { verb: 'watch', resource: 'pods', namespace: undefined };
  const one = { ...all, namespace: 'a' };
  const ended: string[] = [];
  const forget = faults.onEndWatch(all, () => ended.push('all'));
  faults.onEndWatch(one, () => ended.push('one'));
  faults.set([{ verb: 'watch', allNamespaces: true, endWatch: true }], '1');
  assert.deepEqual(ended, ['all']);
  faults.set([{ verb: 'watch', allNamespaces: true, watchEvents: 'doubled' }], '1');
  assert.deepEqual([faults.ofWatch(all), faults.ofWatch(one)], [{ events: 'doubled' }, undefined]);
  faults.set([{ status: 500, delayMs: 5 }], '1');
  assert.equal(faults.ofWatch(all), undefined);
  forget();
  faults.set([{ endWatch: true }], '1');
  assert.deepEqual(ended, ['all', 'one']);
});
