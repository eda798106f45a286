import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import type { ReadMessage, ReadOptions } from '../../libs/bus/read.ts';
import { eventFilter, eventSubject } from '../../libs/bus/subjects.ts';
import { isError } from '../../libs/errors/catalogue.ts';
import { until } from '../wait.ts';
import { event, parts, type TestBus, withBus } from './bus-setup.ts';

async function readAll({ bus, stop }: TestBus, options: Omit<ReadOptions, 'signal'>): Promise<ReadMessage[]> {
  const messages: ReadMessage[] = [];
  for await (const message of bus.read({ ...options, signal: stop.signal })) messages.push(message);
  return messages;
}

/** Publishes what our own publisher would refuse. */
async function publishRaw({ nats }: TestBus, subject: string, payload: string): Promise<void> {
  const connection = await connectNats({ servers: nats.url });
  // The library's own limit is a second, for which a busy machine may stand still.
  await connection.request(subject, payload, { timeout: 60_000 });
  await connection.close();
}

describe('the bus', { concurrency: 4 }, () => {
  test('of two watchers that publish the same event, one is told that it is stored already', () =>
    withBus(async (t) => {
      const other = await t.connect();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          [t.bus, other].map((bus) => bus.publishEvent(parts(`pod-${index}`), event(`pod-${index}`, 1))),
        ).map((pair) => Promise.all(pair)),
      );
      for (const pair of answers) assert.deepEqual(pair.sort(), ['duplicate', 'stored']);
      assert.equal((await readAll(t, { stream: 'events' })).length, 20);
      // The same Kubernetes cluster, under the name that another operator has for it.
      assert.equal(await other.publishEvent(parts('pod-0', 'other'), event('pod-0', 1)), 'stored');
    }));

  test('the last message of each subject is what lastEvents returns, of the asked kube only', () =>
    withBus(async ({ bus }) => {
      assert.equal((await bus.lastEvents('local')).size, 0);
      for (let version = 1; version <= 3; version++) {
        for (let index = 0; index < 700; index += 7) {
          await bus.publishEvent(parts(`pod.${index}`), event(`pod.${index}`, version));
        }
      }
      await bus.publishEvent(parts('other', 'remote'), event('other', 1));
      const last = await bus.lastEvents('local');
      assert.equal(last.size, 100);
      assert.equal(last.get(eventSubject(parts('pod.14')))?.id, 'pod.14/3/added');
      assert.deepEqual(
        [...(await bus.lastEvents('remote')).values()].map(({ id }) => id),
        ['other/1/added'],
      );
    }));

  test('an event that is too large is refused for good, and can be buried with the reason', () =>
    withBus(async (t) => {
      const large = event('large', 1, 'x'.repeat(2_000_000));
      await assert.rejects(t.bus.publishEvent(parts('large'), large), (error) =>
        isError(error, 'BUS_TOO_LARGE'),
      );
      const subject = eventSubject(parts('large'));
      await t.bus.bury({
        reason: 'too-large',
        detail: 'zwei Mégabytes',
        subject,
        payload: JSON.stringify(large),
      });
      const [dead] = await readAll(t, { stream: 'dead' });
      assert.equal(dead?.subject, 'quorate.dead.too-large');
      assert.equal(dead?.payload.length, 256 * 1024);
      assert.equal(dead?.headers['Quorate-Subject'], subject);
      assert.ok(Number(dead?.headers['Quorate-Full-Bytes']) > 2_000_000);
      assert.equal(t.bus.buriedCount(), 1);
    }));

  test('a poisoned message goes to DEAD with its reason, and the line goes on', () =>
    withBus(async (t) => {
      const seen: string[] = [];
      const subject = eventSubject(parts('poison'));
      await t.bus.publishEvent(parts('before'), event('before', 1));
      await publishRaw(t, subject, '{"half');
      await publishRaw(t, subject, '{"specversion":"1.0"}');
      await publishRaw(t, 'quorate.events.local.short', JSON.stringify(event('x', 1)));
      await t.bus.publishEvent(parts('after'), event('after', 1));
      t.background(
        t.bus.consumeEvents(
          { durable: 'dispatch', kube: 'local', signal: t.stop.signal },
          async ({ id }) => void seen.push(id),
        ),
      );
      await until('all are gone through', () => seen.length === 2 && t.bus.buriedCount() === 3);
      const dead = await readAll(t, { stream: 'dead' });
      const reasons = dead.map(({ headers }) => headers['Quorate-Reason']).sort();
      assert.deepEqual(reasons, ['not-an-event', 'not-json', 'unknown-subject']);
      assert.ok(
        dead.some(({ payload, headers }) => payload === '{"half' && headers['Quorate-Subject'] === subject),
      );
      // lastEvents does not trip over it either.
      assert.equal((await t.bus.lastEvents('local')).size, 2);
    }));

  test('two processes share the events of a durable; a failed event comes again until it is handled', () =>
    withBus(async (t) => {
      const tries = new Map<string, number>();
      const handled: string[] = [];
      const handler = async ({ id }: { id: string }) => {
        const count = (tries.get(id) ?? 0) + 1;
        tries.set(id, count);
        if (id.endsWith('7/1/added') && count < 3) throw new Error('not yet');
        handled.push(id);
      };
      const other = await t.connect();
      for (const bus of [t.bus, other]) {
        t.background(
          bus.consumeEvents(
            { durable: 'dispatch', kube: 'local', signal: t.stop.signal, concurrency: 5 },
            handler,
          ),
        );
      }
      for (let index = 0; index < 100; index++)
        await t.bus.publishEvent(parts(`p${index}`), event(`p${index}`, 1));
      await until('all are handled', () => handled.length >= 100);
      assert.equal(new Set(handled).size, 100);
      assert.equal(handled.length, 100);
      assert.equal(tries.get('p7/1/added'), 3);
      // Ten of them, each twice.
      assert.equal(t.bus.redeliveredCount() + other.redeliveredCount(), 20);
    }));

  test('kubes have consumers of their own, whatever their ids', () =>
    withBus(async (t) => {
      const kubes = ['far', 'far-redelivered', 'redelivered', 'redelivered-far'];
      const seen: string[] = [];
      for (const kube of kubes) {
        const options = { durable: `dispatch-${kube}`, kube, signal: t.stop.signal };
        t.background(
          t.bus.consumeEvents(options, async ({ id }, { parts: { kube: from } }) => {
            seen.push(`${kube} ${from} ${id}`);
          }),
        );
        await t.bus.publishEvent(parts('a', kube), event('a', 1));
        await t.bus.redeliverEvent(parts('a', kube), { ...event('a', 1), id: `again in ${kube}` });
      }
      const wanted = kubes.flatMap((kube) => [
        `${kube} ${kube} a/1/added`,
        `${kube} ${kube} again in ${kube}`,
      ]);
      await until('each has its own', () => seen.length >= wanted.length);
      assert.deepEqual(seen.sort(), wanted.sort());
      const connection = await connectNats({ servers: t.nats.url });
      const manager = await jetstreamManager(connection);
      assert.equal((await manager.streams.info('EVENTS')).state.consumer_count, 2 * kubes.length);
      await connection.close();
    }));

  test('when asked to stop, consumeEvents returns after the running handlers have ended', () =>
    withBus(async (t) => {
      const { promise: release, resolve } = Promise.withResolvers<void>();
      let began = 0;
      let ended = 0;
      let returned = false;
      const work = t.bus
        .consumeEvents({ durable: 'dispatch', kube: 'local', signal: t.stop.signal }, async () => {
          began++;
          await release;
          ended++;
        })
        .then(() => {
          returned = true;
        });
      await t.bus.publishEvent(parts('a'), event('a', 1));
      await until('it runs', () => began === 1);
      t.stop.abort();
      // Several round trips to the server later it still has not returned.
      for (let count = 0; count < 5; count++) await t.bus.lastEvents('local');
      assert.equal(returned, false);
      resolve();
      await work;
      assert.equal(ended, 1);
    }));

  test('read gives what is stored from a time on, and follows what comes', () =>
    withBus(async (t) => {
      await t.bus.publishEvent(parts('old'), event('old', 1));
      const [old] = await readAll(t, { stream: 'events' });
      await t.bus.publishEvent(parts('new'), event('new', 1));
      await t.bus.publishEvent(parts('new', 'remote'), event('elsewhere', 1));
      const since = new Date((old?.time.getTime() ?? 0) + 1);
      const filter = eventFilter('local', { engine: 'etcd', namespace: 'default', name: 'example' });
      const names = (messages: ReadMessage[]) => messages.map(({ subject }) => subject.split('.').at(-1));
      assert.deepEqual(names(await readAll(t, { stream: 'events', filter })), ['old', 'new']);
      const later = await readAll(t, { stream: 'events', filter, since });
      assert.ok(later.every(({ time }) => time >= since));
      const followed: ReadMessage[] = [];
      t.background(
        (async () => {
          for await (const message of t.bus.read({
            stream: 'events',
            filter,
            follow: true,
            signal: t.stop.signal,
          })) {
            followed.push(message);
          }
        })(),
      );
      await until('it is at the end', () => followed.length === 2);
      await t.bus.publishEvent(parts('newest'), event('newest', 1));
      await until('it follows', () => names(followed).includes('newest'));
      assert.deepEqual(await readAll(t, { stream: 'decisions' }), []);
    }));
});
