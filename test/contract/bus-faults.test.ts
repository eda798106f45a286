import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import { isError } from '../../libs/errors/catalogue.ts';
import { freePort } from '../../services/cli/processes/servers.ts';
import { createTestLog } from '../log.ts';
import { startNats } from '../servers.ts';
import { until } from '../wait.ts';
import { event, parts, type TestBus, withBus } from './bus-setup.ts';

/** Publishes as a watcher does: again and again with the same id until it is confirmed. */
async function publish(bus: Bus, name: string): Promise<void> {
  await until(`${name} is stored`, () =>
    bus.publishEvent(parts(name), event(name, 1)).then(
      () => true,
      () => false,
    ),
  );
}

function collect({ bus, stop, background }: TestBus): string[] {
  const seen: string[] = [];
  const handler = async ({ data }: { data: { metadata: { name: string } } }) =>
    void seen.push(data.metadata.name);
  background(bus.consumeEvents({ durable: 'dispatch', signal: stop.signal }, handler));
  return seen;
}

describe('the bus, when things break', { concurrency: 4 }, () => {
  test('a server killed and started again loses nothing, and one line tells of its absence, one of its return', () =>
    withBus(async (t) => {
      const seen = collect(t);
      for (let index = 0; index < 20; index++) await publish(t.bus, `before-${index}`);
      await t.nats.kill9();
      await until('it is noticed', () => !t.bus.connected());
      await assert.rejects(t.bus.publishEvent(parts('x'), event('x', 1)), (error) =>
        isError(error, 'BUS_UNREACHABLE'),
      );
      await t.nats.restart();
      for (let index = 0; index < 20; index++) await publish(t.bus, `after-${index}`);
      await until('all came', () => new Set(seen).size === 40);
      assert.equal((await t.bus.lastEvents('local')).size, 40);
      const lines = t.log.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
      assert.deepEqual(lines, ['NATS is not reachable; trying again until it is', 'NATS is reachable again']);
    }));

  test('a server that comes back empty gets its streams again, everybody is told, and consuming goes on', () =>
    withBus(async (t) => {
      const seen = collect(t);
      const other = await t.connect();
      let told = 0;
      for (const bus of [t.bus, other]) {
        bus.onRestored(() => {
          told++;
        });
      }
      await publish(t.bus, 'before');
      await until('it came', () => seen.includes('before'));
      await t.nats.restart({ empty: true });
      await until('both are told', () => told === 2);
      assert.equal((await other.lastEvents('local')).size, 0);
      await publish(other, 'before');
      await publish(other, 'after');
      await until(
        'all came',
        () => seen.filter((name) => name === 'before').length === 2 && seen.includes('after'),
      );
      assert.equal(told, 2);
    }));

  test('streams that were deleted under a running system come back with the next message', () =>
    withBus(async (t) => {
      const seen = collect(t);
      let told = 0;
      t.bus.onRestored(() => {
        told++;
      });
      await publish(t.bus, 'before');
      await until('it came', () => seen.length === 1);
      const connection = await connectNats({ servers: t.nats.url });
      const manager = await jetstreamManager(connection);
      await manager.streams.delete('EVENTS');
      await publish(t.bus, 'after');
      await until('it came', () => seen.includes('after'));
      assert.equal(told, 1);
      await manager.consumers.delete('EVENTS', 'dispatch');
      await publish(t.bus, 'last');
      await until('it came', () => seen.includes('last'));
      assert.equal(told, 1);
      // A stream that somebody has changed is corrected.
      await manager.streams.update('EVENTS', { max_bytes: 1024 * 1024 });
      await (await t.connect()).lastEvents('local');
      assert.equal((await manager.streams.info('EVENTS')).config.max_bytes, 1024 ** 3);
      await connection.close();
    }));

  test('connecting waits for a server that is not there yet, and gives up only when asked to stop', async () => {
    const port = await freePort();
    const url = `nats://127.0.0.1:${port}`;
    const log = createTestLog();
    const stop = new AbortController();
    const connecting = connectBus({ url, name: 'test', log, signal: stop.signal });
    await until('it is told', () => log.lines.length === 1);
    const nats = await startNats({ port });
    const bus = await connecting;
    assert.deepEqual([bus.connected(), log.lines.length], [true, 2]);
    await bus.close();
    await nats.stop();
    const again = connectBus({ url, name: 'test', log, signal: stop.signal });
    stop.abort();
    await assert.rejects(again, (error) => isError(error, 'BUS_UNREACHABLE'));
  });
});

describe('decisions', { concurrency: 4 }, () => {
  const key = (name: string) => ({ engine: 'etcd', namespace: 'default', name });
  const clusters = ['a', 'b', 'c'];

  async function publishTwenty({ bus }: TestBus): Promise<void> {
    for (let index = 0; index < 20; index++) {
      for (const name of clusters) {
        const answer = await bus.publishDecision('local', key(name), `${name}-${index}`, { index });
        assert.equal(answer, 'stored');
      }
    }
  }

  test('of one cluster come one after the other in order, through failures, while others go on', () =>
    withBus(async (t) => {
      await publishTwenty(t);
      const handled = new Map<string, unknown[]>(clusters.map((name) => [name, []]));
      const active = new Map<string, number>();
      let most = 0;
      let failuresLeft = 3;
      const order: string[] = [];
      t.background(
        t.bus.consumeDecisions({ durable: 'observer', signal: t.stop.signal }, async ({ index }, meta) => {
          const { name } = meta.key;
          active.set(name, (active.get(name) ?? 0) + 1);
          assert.equal(active.get(name), 1);
          most = Math.max(
            most,
            [...active.values()].reduce((sum, count) => sum + count, 0),
          );
          await sleep(2);
          active.set(name, 0);
          if (name === 'a' && index === 3 && failuresLeft-- > 0) throw new Error('not yet');
          handled.get(name)?.push(index);
          order.push(name);
        }),
      );
      await until('all are handled', () => order.length === 60);
      const inOrder = Array.from({ length: 20 }, (_, index) => index);
      for (const name of clusters) assert.deepEqual(handled.get(name), inOrder);
      assert.ok(most > 1, 'different clusters ran at once');
      assert.equal(order.at(-1), 'a', 'nobody waited for the one that failed');
    }));

  test('after a crash begin again at the oldest in doubt, before anything newer', () =>
    withBus(async (t) => {
      await publishTwenty(t);
      const first = await t.connect();
      let began = 0;
      // Never ends and never acknowledges, as a process that was killed.
      const stuck = new AbortController();
      const { promise: never, resolve } = Promise.withResolvers<void>();
      const work = first.consumeDecisions(
        { durable: 'observer', signal: stuck.signal },
        async ({ index }, meta) => {
          if (meta.key.name !== 'b' || index !== 5) return;
          began++;
          await never;
          throw new Error('killed');
        },
      );
      await until('it is stuck', () => began === 1);
      await first.close();
      const indexes: unknown[] = [];
      await t.bus.publishDecision('local', key('b'), 'b-20', { index: 20 });
      t.background(
        t.bus.consumeDecisions({ durable: 'observer', signal: t.stop.signal }, async ({ index }, meta) => {
          if (meta.key.name === 'b') indexes.push(index);
        }),
      );
      await until('the newest came', () => indexes.includes(20));
      const from5 = Array.from({ length: 16 }, (_, index) => index + 5);
      assert.deepEqual(indexes.slice(-16), from5);
      assert.ok(t.bus.redeliveredCount() > 0);
      assert.deepEqual(
        indexes,
        [...indexes].sort((x, y) => Number(x) - Number(y)),
      );
      stuck.abort();
      resolve();
      await work;
    }));

  test('go on after the server comes back empty', () =>
    withBus(async (t) => {
      const seen: unknown[] = [];
      t.background(
        t.bus.consumeDecisions(
          { durable: 'observer', signal: t.stop.signal },
          async ({ note }) => void seen.push(note),
        ),
      );
      for (const note of [1, 2, 3]) await t.bus.publishDecision('local', key('a'), `id-${note}`, { note });
      await until('all came', () => seen.length === 3);
      await t.nats.restart({ empty: true });
      await until('it is back', () =>
        t.bus.publishDecision('local', key('a'), 'id-4', { note: 4 }).then(
          () => true,
          () => false,
        ),
      );
      await until('it came', () => seen.includes(4));
    }));
});
