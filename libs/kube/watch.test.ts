import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestLog } from '../../test/log.ts';
import { QuorateError } from '../errors/catalogue.ts';
import { createOutage } from '../service/outage.ts';
import type { WatchableKube } from './client.ts';
import { resourceTypes } from './object.ts';
import { watchObjects } from './watch.ts';

/** A watch that stands for so long, in milliseconds, and then breaks. */
const breaking = (afterMs: number) =>
  Readable.from(
    (async function* () {
      await sleep(afterMs);
      yield* [];
      throw new Error('the connection was lost');
    })(),
  );

test('an API that goes just before a watch counts as settled is not said to be back', async () => {
  const log = createTestLog();
  const stop = new AbortController();
  let lists = 0;
  const kube = {
    async list() {
      lists += 1;
      if (lists === 1) return { items: [], resourceVersion: '1' };
      // By now the first watch would have settled.
      if (lists === 3) stop.abort();
      throw new QuorateError('KUBE_UNREACHABLE', 'connection refused');
    },
    openWatch: async () => breaking(950),
  } as unknown as WatchableKube;
  const outage = createOutage(log, 'Kubernetes API', 'test');
  const given = { kube, type: resourceTypes.secret, log, outage, signal: stop.signal, random: () => 0 };
  for await (const change of watchObjects(given)) assert.notEqual(change.type, 'added');
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn'],
  );
});
