import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { connectBus } from '../../libs/bus/bus.ts';
import { retentionOf, retentionSettings } from '../../libs/bus/retention.ts';
import { decisionFilter, repeatFilter } from '../../libs/bus/subjects.ts';
import { createTestLog } from '../log.ts';
import { startNats } from '../servers.ts';
import { withBus } from './bus-setup.ts';

const key = { engine: 'etcd', namespace: 'default', name: 'a' };

test('of repeats the last count of each worker is kept, and of each cluster the last record can be read', () =>
  withBus(async ({ bus, stop: { signal } }) => {
    for (let count = 1; count <= 3; count++) {
      await bus.publishRepeat('local', key, 'worker_1', { worker: 1, count });
      await bus.publishRepeat('local', key, 'worker.2', { worker: 2, count: count * 10 });
      await bus.publishDecision('local', key, `pass-${count}`, { count });
      await bus.publishDecision('local', { ...key, name: 'b' }, `other-${count}`, { count: count * 10 });
    }
    const read = async (stream: 'repeats' | 'decisions', filter: string, lastOnly: boolean) => {
      const found: string[] = [];
      for await (const { payload } of bus.read({ stream, filter, lastOnly, signal })) found.push(payload);
      return found;
    };
    assert.deepEqual(await read('repeats', repeatFilter('local', key), false), [
      '{"worker":1,"count":3}',
      '{"worker":2,"count":30}',
    ]);
    assert.deepEqual(await read('decisions', decisionFilter('local'), true), ['{"count":3}', '{"count":30}']);
  }));

test('what is overwritten all the time can be read all the same', () =>
  withBus(async ({ bus, stop: { signal } }) => {
    await bus.publishRepeat('local', key, 'worker', { count: 0 });
    let count = 0;
    let reading = true;
    const writing = (async () => {
      while (reading) await bus.publishRepeat('local', key, 'worker', { count: ++count });
    })();
    try {
      for (let round = 0; round < 300; round++) {
        const before = count;
        let last = -1;
        for await (const { payload } of bus.read({ stream: 'repeats', lastOnly: true, signal })) {
          last = (JSON.parse(payload) as { count: number }).count;
        }
        assert.ok(last >= before, `read ${last}, when ${before} was written already`);
      }
    } finally {
      reading = false;
      await writing;
    }
  }));

test('the settings decide how far back the streams go, and who only reads makes and changes none', async () => {
  const nats = await startNats();
  const signal = AbortSignal.timeout(60_000);
  const given = { url: nats.url, name: 'test', log: createTestLog(), signal };
  const raw = await connectNats({ servers: nats.url });
  const manager = await jetstreamManager(raw);
  const configs = async () =>
    Object.fromEntries(
      (await manager.streams.list().next()).map(({ config }) => [
        config.name,
        [config.max_age / 3.6e12, config.max_bytes / 2 ** 20],
      ]),
    );
  try {
    const reader = await connectBus({ ...given, streams: 'as they are' });
    assert.deepEqual(await configs(), {});
    const empty = reader.read({ stream: 'decisions', signal });
    for await (const message of empty) assert.fail(message.payload);
    const config = retentionSettings.parse({ QUORATE_EVENTS_HOURS: '48', QUORATE_DECISIONS_MIB: '512' });
    const keeper = await connectBus({ ...given, streams: retentionOf(config) });
    const kept = { EVENTS: [48, 1024], DECISIONS: [720, 512], REPEATS: [720, 64], DEAD: [720, 64] };
    assert.deepEqual(await configs(), kept);
    const second = await connectBus({ ...given, streams: 'as they are' });
    assert.deepEqual(await configs(), kept);
    const changed = await connectBus({ ...given });
    assert.deepEqual((await configs())['EVENTS'], [168, 1024]);
    await Promise.all([reader, keeper, second, changed].map((bus) => bus.close()));
  } finally {
    await raw.close();
    await nats.stop();
  }
});
