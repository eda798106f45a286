import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { resourceTypes } from '../../kube/object.ts';
import { createStore } from '../memory.ts';
import type { Store } from '../store.ts';
import { eventLifetimeMs, eventSweepMs, startEvents } from './events.ts';

const minuteMs = 60_000;

/** A store with the controller on it, and a clock that only the test moves. */
function setUp(t: TestContext): { store: Store; pass: (ms: number) => void; left: () => string[] } {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  const now = () => new Date(nowMs);
  const store = createStore(now);
  t.after(startEvents(store, now));
  const pass = (ms: number): void => {
    for (let passedMs = 0; passedMs < ms; passedMs += minuteMs) {
      nowMs += minuteMs;
      t.mock.timers.tick(minuteMs);
    }
  };
  return { store, pass, left: () => store.list(resourceTypes.event).map(({ metadata }) => metadata.name) };
}

const event = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
});

test('an Event goes an hour after it was written, and nothing else does', (t) => {
  const { store, pass, left } = setUp(t);
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod', namespace: 'default' } };
  store.create(resourceTypes.pod, pod);
  store.create(resourceTypes.event, event('first'));
  pass(30 * minuteMs);
  store.create(resourceTypes.event, event('second'));
  pass(eventLifetimeMs - 31 * minuteMs);
  assert.deepEqual(left(), ['first', 'second']);
  pass(minuteMs + eventSweepMs);
  assert.deepEqual(left(), ['second']);
  pass(30 * minuteMs);
  assert.deepEqual(left(), []);
  assert.ok(store.get(resourceTypes.pod, 'default', 'pod'));
});

test('an Event that is counted up lives on from there', (t) => {
  const { store, pass, left } = setUp(t);
  store.create(resourceTypes.event, event('counted'));
  store.create(resourceTypes.event, event('once'));
  pass(50 * minuteMs);
  store.update(resourceTypes.event, 'default', 'counted', (current) => ({ ...current, count: 2 }));
  pass(50 * minuteMs);
  assert.deepEqual(left(), ['counted']);
  pass(10 * minuteMs + eventSweepMs);
  assert.deepEqual(left(), []);
});

test('an Event that was deleted and made again counts as new', (t) => {
  const { store, pass, left } = setUp(t);
  store.create(resourceTypes.event, event('again'));
  pass(50 * minuteMs);
  store.delete(resourceTypes.event, 'default', 'again');
  store.create(resourceTypes.event, event('again'));
  pass(50 * minuteMs);
  assert.deepEqual(left(), ['again']);
});
