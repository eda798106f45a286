import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, readDecision } from '../../libs/engine/decision.ts';
import type { Repeat } from '../../libs/engine/repeat.ts';
import { QuorateError } from '../../libs/errors/catalogue.ts';
import { createTestLog } from '../../test/log.ts';
import { until } from '../../test/wait.ts';
import { openOutbox } from './outbox.ts';

const key = { engine: 'etcd', namespace: 'default', name: 'a' };
const pass = (id: string, seen: number, name = 'a'): Decision =>
  readDecision({
    ...{
      format: 2,
      id,
      kube: 'local',
      key: `etcd/default/${name}`,
      engine: { name: 'etcd', version: 2 },
      worker: 'w',
    },
    ...{ wokenBy: [], traceId: 't', time: '2026-01-01T00:00:00.000Z', nowMs: 1, spec: {}, facts: { seen } },
    ...{ steps: [], durationMs: { observe: 1, plan: 1, act: 1 } },
  });

/** A bus that stores what it is sent while it is there. */
function bus() {
  const stored: string[] = [];
  const restored: (() => void)[] = [];
  const state = { isThere: true };
  const check = () => {
    if (!state.isThere) throw new QuorateError('BUS_UNREACHABLE', 'away');
  };
  return {
    stored,
    state,
    restore: () => {
      for (const listener of restored) listener();
    },
    onRestored(listener: () => void) {
      restored.push(listener);
      return () => {};
    },
    async publishDecision(_kube: string, _key: object, id: string) {
      check();
      stored.push(id);
      return 'stored' as const;
    },
    async publishRepeat(_kube: string, _key: object, _worker: string, repeat: object) {
      check();
      const { decision, count } = repeat as Repeat;
      stored.push(`${decision} again ${count}`);
    },
  };
}

test('while NATS is away records wait in their order, and of repeats only the last count', async () => {
  const nats = bus();
  const outbox = openOutbox(nats, async () => {}, createTestLog());
  nats.state.isThere = false;
  for (const decision of [pass('one', 1), pass('two', 1), pass('three', 1), pass('four', 1), pass('five', 2)])
    outbox.send(key, decision);
  nats.state.isThere = true;
  await until('all is stored', () => nats.stored.length === 3);
  assert.deepEqual(nats.stored, ['one', 'one again 3', 'five']);
  await outbox.close();
});

test('after the streams were lost the next pass is recorded whole, though it repeats the last', async () => {
  const nats = bus();
  const outbox = openOutbox(nats, async () => {}, createTestLog());
  outbox.send(key, pass('one', 1));
  outbox.send(key, pass('two', 1));
  nats.restore();
  outbox.send(key, pass('three', 1));
  await until('all is stored', () => nats.stored.length === 3);
  assert.deepEqual(nats.stored, ['one', 'one again 1', 'three']);
  await outbox.close();
});

test('of two clusters, one waits not for the other; each cluster has one record on its way', async () => {
  const nats = bus();
  const sent: string[] = [];
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const publishDecision = async (_kube: string, _key: object, id: string) => {
    sent.push(id);
    await answered;
    return 'stored' as const;
  };
  const outbox = openOutbox({ ...nats, publishDecision }, async () => {}, createTestLog());
  outbox.send(key, pass('a one', 1));
  outbox.send(key, pass('a two', 2));
  outbox.send({ ...key, name: 'b' }, pass('b one', 1, 'b'));
  assert.deepEqual(sent, ['a one', 'b one']);
  answer();
  await until('all is sent', () => sent.length === 3);
  assert.equal(sent[2], 'a two');
  await outbox.close();
});

test('clusters whose records were too many to keep get another pass when NATS is back', async () => {
  const nats = bus();
  const woken: string[] = [];
  const wake = async (each: string) => void woken.push(each);
  const outbox = openOutbox(nats, wake, createTestLog());
  nats.state.isThere = false;
  const names = Array.from({ length: 1100 }, (_, index) => `c${index}`);
  for (const name of names) outbox.send({ ...key, name }, pass(name, 1, name));
  nats.state.isThere = true;
  await until(
    'every cluster has a record or is woken',
    () => nats.stored.length + woken.length === names.length,
  );
  const keyOf = (name: string) => `etcd/default/${name}`;
  assert.deepEqual([...nats.stored.map(keyOf), ...woken].sort(), names.map(keyOf).sort());
  await outbox.close();
});
