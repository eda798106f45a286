import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import type { DecisionMeta } from '../../libs/bus/decisions.ts';
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
  background(bus.consumeEvents({ durable: 'dispatch', kube: 'local', signal: stop.signal }, handler));
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

  test('are shared by two processes; one that fails comes again while all others go on', () =>
    withBus(async (t) => {
      await publishTwenty(t);
      const handled: string[] = [];
      const by = new Set<Bus>();
      let failuresLeft = 3;
      // One process has at most 50 at a time, so the other is given some as long as none is done.
      const { promise: both, resolve: begin } = Promise.withResolvers<void>();
      for (const bus of [t.bus, await t.connect()]) {
        const options = { durable: 'observer', kube: 'local', signal: t.stop.signal };
        t.background(
          bus.consumeDecisions(options, async ({ index }, { key: { name } }) => {
            by.add(bus);
            if (by.size === 2) begin();
            await both;
            if (name === 'a' && index === 3 && failuresLeft-- > 0) throw new Error('not yet');
            handled.push(`${name}-${index}`);
          }),
        );
      }
      await until('all are handled', () => handled.length === 60);
      assert.equal(new Set(handled).size, 60);
      assert.ok(handled.indexOf('a-4') < handled.indexOf('a-3'), 'nobody waited for the one that failed');
    }));

  test('of a process that falls silent come to another', () =>
    withBus(async (t) => {
      await publishTwenty(t);
      const silent = await t.connect();
      const { promise: never, resolve } = Promise.withResolvers<void>();
      let taken = 0;
      const stuck = new AbortController();
      const work = silent.consumeDecisions(
        { durable: 'observer', kube: 'local', signal: stuck.signal },
        async () => {
          taken++;
          await never;
        },
      );
      await until('it took some', () => taken > 1);
      await silent.close();
      const handled = new Set<string>();
      const options = { durable: 'observer', kube: 'local', signal: t.stop.signal };
      t.background(
        t.bus.consumeDecisions(options, async ({ index }, { key: { name } }) => {
          handled.add(`${name}-${index}`);
        }),
      );
      await until('all came', () => handled.size === 60, 40_000);
      stuck.abort();
      resolve();
      await work;
    }));

  test('of another kube stay away, and a consumer of an older version is made anew where it stood', () =>
    withBus(async (t) => {
      await publishTwenty(t);
      await t.bus.publishDecision('remote', key('a'), 'remote', { index: 99 });
      const connection = await connectNats({ servers: t.nats.url });
      const manager = await jetstreamManager(connection);
      await manager.consumers.add('DECISIONS', { durable_name: 'observer', ack_policy: AckPolicy.Explicit });
      const old = await jetstream(connection).consumers.get('DECISIONS', 'observer');
      for (let count = 0; count < 10; count++) await (await old.next())?.ackAck();
      await connection.close();
      const indexes: unknown[] = [];
      const options = { durable: 'observer', kube: 'local', signal: t.stop.signal };
      t.background(
        t.bus.consumeDecisions(options, async ({ index }, meta) => {
          assert.equal(meta.kube, 'local');
          indexes.push(index);
        }),
      );
      await until('the rest came', () => indexes.length === 50);
      assert.equal(indexes[0], 3);
    }));

  test('that are later than one are known by its place in the stream, or are all there are in a new stream', () =>
    withBus(async (t) => {
      await publishTwenty(t);
      const metas: DecisionMeta[] = [];
      const options = { durable: 'observer', kube: 'local', signal: t.stop.signal };
      t.background(
        t.bus.consumeDecisions(options, async (_, meta) => {
          if (meta.key.name === 'b') metas.push(meta);
        }),
      );
      await until('all came', () => metas.length === 20);
      metas.sort((one, other) => one.sequence - other.sequence);
      const laterThan = async (place: number) => {
        const found: unknown[] = [];
        for await (const { index } of t.bus.laterRecords(metas[place] as DecisionMeta)) found.push(index);
        return found;
      };
      assert.deepEqual(await laterThan(16), [17, 18, 19]);
      assert.deepEqual(await laterThan(19), []);
      await t.nats.restart({ empty: true });
      const publish = (index: number) => t.bus.publishDecision('local', key('b'), `new-${index}`, { index });
      await until('it is back', () =>
        publish(100).then(
          () => true,
          () => false,
        ),
      );
      for (let index = 101; index < 160; index++) await publish(index);
      assert.equal((await laterThan(16)).length, 60);
      assert.equal((await laterThan(16))[0], 100);
    }));

  test('go on after the server comes back empty', () =>
    withBus(async (t) => {
      const seen: unknown[] = [];
      t.background(
        t.bus.consumeDecisions(
          { durable: 'observer', kube: 'local', signal: t.stop.signal },
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
