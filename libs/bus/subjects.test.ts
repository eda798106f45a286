import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isError } from '../errors/catalogue.ts';
import {
  decisionFilter,
  decisionSubject,
  eventFilter,
  eventSubject,
  objectFilter,
  parseDecisionSubject,
  parseEventSubject,
  redeliveredFilter,
  redeliveredSubject,
  repeatFilter,
  repeatSubject,
} from './subjects.ts';

/** Names as Kubernetes has them: a DNS subdomain. */
const name = fc.stringMatching(
  /^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?){0,2}$/,
);
const key = fc.record({ engine: name, namespace: name, name }, { noNullPrototype: true });

test('an event subject has exactly eight parts and reads back as what it was made of', () => {
  const parts = fc.record(
    { kube: name, engine: name, namespace: name, cluster: name, resource: name, object: name },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(parts, (value) => {
      const subject = eventSubject(value);
      assert.equal(subject.split('.').length, 8);
      assert.deepEqual(parseEventSubject(subject), value);
      assert.equal(parseDecisionSubject(subject), undefined);
      const again = redeliveredSubject(value);
      assert.notEqual(again, subject);
      assert.deepEqual(parseEventSubject(again), value);
    }),
  );
});

test('a decision subject reads back as its kube and key, and is the filter for that cluster', () => {
  fc.assert(
    fc.property(name, key, (kube, value) => {
      const subject = decisionSubject(kube, value);
      assert.deepEqual(parseDecisionSubject(subject), { kube, key: value });
      assert.equal(decisionFilter(kube, value), subject);
    }),
  );
});

test('repeats have a subject of their own for each worker, whatever its name', () => {
  const value = { engine: 'etcd', namespace: 'default', name: 'my.db' };
  const subject = repeatSubject('local', value, 'host_a.b-12');
  assert.equal(subject, 'quorate.repeats.local.etcd.default.my_db.host-a-b-12');
  assert.equal(repeatFilter('local', value), 'quorate.repeats.local.etcd.default.my_db.>');
});

test('the filters name one cluster or a whole kube', () => {
  const value = { engine: 'etcd', namespace: 'default', name: 'my.db' };
  assert.equal(eventFilter('local', value), 'quorate.events.local.etcd.default.my_db.>');
  assert.equal(eventFilter('local'), 'quorate.events.local.>');
  assert.equal(decisionFilter('local'), 'quorate.decisions.local.>');
  assert.equal(redeliveredFilter('local', value), 'quorate.redelivered.local.etcd.default.my_db.>');
  assert.equal(
    objectFilter('local', 'default', 'pods', 'my.db-1'),
    'quorate.events.local.*.default.*.pods.my_db-1',
  );
});

test('a name that NATS would read as something else is refused', () => {
  for (const bad of ['', 'a b', '*', '>', 'a_b', 'a\n']) {
    assert.throws(
      () => eventFilter('local', { engine: 'etcd', namespace: 'default', name: bad }),
      (error) => isError(error, 'BUS_SUBJECT'),
    );
  }
});

test('what is no subject of ours reads as nothing', () => {
  for (const subject of [
    '',
    'quorate.events',
    'quorate.events.a.b.c.d.e',
    'quorate.events.a.b.c.d.e.f.g',
    'x.events.a.b.c.d.e.f',
  ]) {
    assert.equal(parseEventSubject(subject), undefined);
  }
});
