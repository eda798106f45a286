import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import { type KubeObject, resourceTypes } from '../../libs/kube/object.ts';
import { missingEvents } from './compare.ts';
import { type EventContext, eventOf, isDeletion, vanishedEventOf, versionOf } from './event.ts';

const context: EventContext = { kube: 'local', engines: new Set(), digestKey: 'k' };
const now = new Date(0);

const pod = (name: string, uid: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'prod', uid, resourceVersion },
});
const listed = (...objects: KubeObject[]) => new Map(objects.map((object) => [object.metadata.name, object]));
const told = (type: 'added' | 'modified' | 'deleted', object: KubeObject): [string, EventEnvelope] => [
  object.metadata.name,
  eventOf(object, type, context, now),
];
const missing = (...given: Parameters<typeof missingEvents>) =>
  missingEvents(...given).map((change) => `${change.type} ${change.subject}`);

test('what the stream knows as it is needs no event', () => {
  const last = new Map([told('added', pod('a', 'u1', '1')), told('deleted', pod('b', 'u2', '2'))]);
  assert.deepEqual(missing(listed(pod('a', 'u1', '1')), last, resourceTypes.pod), []);
});

test('new, changed and vanished objects, each as such', () => {
  const last = new Map([told('added', pod('a', 'u1', '1')), told('modified', pod('b', 'u2', '2'))]);
  const now = listed(pod('b', 'u2', '5'), pod('c', 'u3', '6'));
  assert.deepEqual(missing(now, last, resourceTypes.pod), ['vanished a', 'modified b', 'added c']);
});

test('an object that was replaced under its name is deleted first', () => {
  const last = new Map([told('added', pod('a', 'u1', '1'))]);
  assert.deepEqual(missing(listed(pod('a', 'u9', '9')), last, resourceTypes.pod), ['vanished a', 'added a']);
});

test('one that came back after its deletion was told is added', () => {
  const last = new Map([told('deleted', pod('a', 'u1', '1'))]);
  assert.deepEqual(missing(listed(pod('a', 'u9', '9')), last, resourceTypes.pod), ['added a']);
});

test('objects of other kinds are not missed', () => {
  const service: KubeObject = { ...pod('a', 'u1', '1'), kind: 'Service' };
  assert.deepEqual(missing(new Map(), new Map([told('added', service)]), resourceTypes.pod), []);
});

test('after the missing events, the stream tells what was listed, and nothing is missing any more', () => {
  const object = fc
    .record({ name: fc.constantFrom('a', 'b', 'c'), uid: fc.constantFrom('u1', 'u2'), version: fc.nat(3) })
    .map(({ name, uid, version }) => pod(name, uid, String(version)));
  const types = fc.constantFrom('added' as const, 'modified' as const, 'deleted' as const);
  fc.assert(
    fc.property(fc.array(object), fc.array(fc.tuple(types, object)), (present, history) => {
      const current = listed(...present);
      const last = new Map(history.map(([type, past]) => told(type, past)));
      for (const change of missingEvents(current, last, resourceTypes.pod)) {
        const event =
          change.type === 'vanished'
            ? vanishedEventOf(change.last, context, now)
            : eventOf(change.object, change.type, context, now);
        last.set(change.subject, event);
      }
      const alive = [...last].filter(([, event]) => !isDeletion(event));
      const state = (entries: [string, KubeObject][]) =>
        entries
          .map(([subject, { metadata }]) => `${subject} ${metadata.uid}/${metadata.resourceVersion}`)
          .sort();
      assert.deepEqual(state(alive.map(([subject, event]) => [subject, event.data])), state([...current]));
      assert.deepEqual(missingEvents(current, last, resourceTypes.pod), []);
    }),
  );
  assert.equal(versionOf(pod('a', 'u1', '1')), 'u1/1');
});
