import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, readDecision } from '../../libs/engine/decision.ts';
import type { Repeat } from '../../libs/engine/repeat.ts';
import { QuorateError } from '../../libs/errors/catalogue.ts';
import { createTestLog } from '../../test/log.ts';
import { until } from '../../test/wait.ts';
import { type Outbox, openOutbox } from './outbox.ts';

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

const held = new AbortController().signal;

/** Sends as a pass does that nobody waits for. */
const send = (outbox: Outbox, decision: Decision, name = 'a') =>
  void outbox.send({ ...key, name }, decision, held);

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
    send(outbox, decision);
  nats.state.isThere = true;
  await until('all is stored', () => nats.stored.length === 3);
  assert.deepEqual(nats.stored, ['one', 'one again 3', 'five']);
  await outbox.close();
});

test('after the streams were lost the next pass is recorded whole, though it repeats the last', async () => {
  const nats = bus();
  const outbox = openOutbox(nats, async () => {}, createTestLog());
  send(outbox, pass('one', 1));
  send(outbox, pass('two', 1));
  nats.restore();
  send(outbox, pass('three', 1));
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
  send(outbox, pass('a one', 1));
  send(outbox, pass('a two', 2));
  send(outbox, pass('b one', 1, 'b'), 'b');
  assert.deepEqual(sent, ['a one', 'b one']);
  answer();
  await until('all is sent', () => sent.length === 3);
  assert.equal(sent[2], 'a two');
  await outbox.close();
});

test('a pass is told whether its record was stored in time, and its cluster is woken once one was stored late', async () => {
  const nats = bus();
  /** What was stored when a cluster was woken. */
  const woken = new Map<string, string[]>();
  const wake = async (each: string) => void woken.set(each, [...nats.stored]);
  const outbox = openOutbox(nats, wake, createTestLog());
  assert.equal(await outbox.send(key, pass('one', 1), held), true);
  nats.state.isThere = false;
  assert.equal(await outbox.send(key, pass('two', 2), held), false);
  // While it waits, the same found again is no better known; nor what is found of other clusters.
  assert.equal(await outbox.send(key, pass('three', 2), held), false);
  assert.equal(await outbox.send({ ...key, name: 'b' }, pass('b one', 1, 'b'), held), false);
  assert.equal(woken.size, 0);
  nats.state.isThere = true;
  await until('both clusters are woken', () => woken.size === 2);
  assert.ok(woken.get('etcd/default/a')?.includes('two'));
  assert.ok(woken.get('etcd/default/b')?.includes('b one'));
  const ofThisCluster = nats.stored.filter((id) => !id.startsWith('b'));
  assert.deepEqual(ofThisCluster, ['one', 'two', 'two again 1']);
  assert.equal(await outbox.send(key, pass('four', 2), held), true);
  await outbox.close();
});

test('a record is late where NATS is silent for long, or the cluster is no longer held', async (t) => {
  const nats = bus();
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const publishDecision: typeof nats.publishDecision = async (...record) => {
    await answered;
    return nats.publishDecision(...record);
  };
  const woken: string[] = [];
  const wake = async (each: string) => void woken.push(each);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const outbox = openOutbox({ ...nats, publishDecision }, wake, createTestLog());
  const silent = outbox.send(key, pass('one', 1), held);
  t.mock.timers.tick(5000);
  assert.equal(await silent, false);
  const stop = new AbortController();
  const lost = outbox.send({ ...key, name: 'b' }, pass('b one', 1, 'b'), stop.signal);
  stop.abort();
  assert.equal(await lost, false);
  assert.deepEqual(woken, []);
  t.mock.timers.reset();
  answer();
  await until('both clusters are woken', () => woken.length === 2);
  assert.deepEqual(nats.stored, ['one', 'b one']);
  await outbox.close();
});

test('one record that NATS does not take holds up no other, and makes none late for long', async () => {
  const nats = bus();
  let isTaken = false;
  const publishDecision: typeof nats.publishDecision = async (...record) => {
    if (record[2] === 'stuck' && !isTaken) throw new QuorateError('BUS_UNREACHABLE', 'this one not');
    return nats.publishDecision(...record);
  };
  const woken: string[] = [];
  const wake = async (each: string) => void woken.push(each);
  const outbox = openOutbox({ ...nats, publishDecision }, wake, createTestLog());
  assert.equal(await outbox.send(key, pass('stuck', 1), held), false);
  const next = (seen: number) => outbox.send({ ...key, name: 'b' }, pass(`b ${seen}`, seen, 'b'), held);
  assert.equal(await next(1), false);
  await until('that one is stored', () => nats.stored.includes('b 1'));
  let seen = 2;
  await until('the next is in time', () => next(seen++));
  isTaken = true;
  await until('the first is stored', () => woken.includes('etcd/default/a'));
  await outbox.close();
});

test('of records that are too many to keep the oldest are given up, and all the clusters are woken when NATS is back', async () => {
  const nats = bus();
  const woken: string[] = [];
  const wake = async (each: string) => void woken.push(each);
  const log = createTestLog();
  const outbox = openOutbox(nats, wake, log);
  nats.state.isThere = false;
  const names = Array.from({ length: 1100 }, (_, index) => `c${index}`);
  for (const name of names) send(outbox, pass(name, 1, name), name);
  nats.state.isThere = true;
  await until('every cluster is woken', () => woken.length === names.length);
  assert.deepEqual(woken.sort(), names.map((name) => `etcd/default/${name}`).sort());
  const [line] = log.lines;
  assert.equal(line?.message, 'decision records were given up while NATS was away');
  assert.equal(line.fields['records'], names.length - nats.stored.length);
  await outbox.close();
});
