import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { differences } from './differences.ts';
import { fold, phrases } from './words.ts';

const said = (before: unknown, after: unknown) => phrases(differences(before, after));

test('what is the same has no differences, and what is not has, both ways', () => {
  const json = fc.jsonValue();
  fc.assert(
    fc.property(json, json, (one, other) => {
      assert.deepEqual(differences(one, structuredClone(one)), []);
      assert.equal(differences(one, other).length === 0, differences(other, one).length === 0);
    }),
    { numRuns: 200 },
  );
});

test('things of a list are compared by their names, so that one more does not shift the rest', () => {
  const one = [{ name: 'b', ready: false }];
  const two = [
    { name: 'a', ready: true, image: 'etcd' },
    { name: 'b', ready: true },
  ];
  assert.deepEqual(said({ pods: one }, { pods: two }), [
    '+ pods.a (name a, ready yes, image etcd)',
    'pods.b.ready no → yes',
  ]);
  assert.deepEqual(said({ pods: two }, { pods: one }), ['− pods.a', 'pods.b.ready yes → no']);
});

test('an answer is told as what was answered, and one that failed as that it failed', () => {
  const good = { ok: true, value: { leader: 'a' } };
  const bad = { ok: false, error: 'could not be reached' };
  const members = (answer: object) => ({ members: { a: { status: answer, quorum: answer } } });
  assert.deepEqual(said(members(good), members(bad)), [
    'members.a.quorum, status: no answer: could not be reached',
  ]);
  assert.deepEqual(said(members(bad), members(good)), ['members.a.quorum, status: answers']);
  assert.deepEqual(differences({ a: good }, { a: { ok: true, value: { leader: 'a' } } }), []);
});

test('what is the same of several things is told once', () => {
  const of = (leader: string) => ({ members: { a: { leader }, b: { leader }, c: { leader: 'c' } } });
  assert.deepEqual(said(of('a'), of('b')), ['members.(2 of them).leader a → b']);
});

test('lists of plain values say what came and what went; a text of JSON is told as what it says', () => {
  assert.deepEqual(said({ ready: ['a', 'b'] }, { ready: ['b', 'c'] }), ['ready − a, + c']);
  assert.deepEqual(said({ note: '{"last":3,"all":true}' }, { note: '{"last":4,"all":true}' }), [
    'note.last 3 → 4',
  ]);
});

test('long lists are folded, but never to hide a single thing', () => {
  const items = ['a', 'b', 'c', 'd'];
  assert.deepEqual(fold(items, 3), items);
  assert.deepEqual(fold([...items, 'e'], 3), ['a', 'b', 'c', '… and 2 more']);
});
