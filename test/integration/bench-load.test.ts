import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensurePrograms } from '../../services/cli/toolchain/ensure.ts';
import { programsNeeded } from '../../services/cli/toolchain/programs.ts';
import { clusterOf, createClusters } from '../bench/load/clusters.ts';
import { measureDelays } from '../bench/load/delay.ts';
import { configMapType } from '../bench/load/engine/resource.ts';
import { measurePasses } from '../bench/load/passes.ts';
import { startStand } from '../bench/load/stand.ts';

const count = 20;

test('the benchmark of many clusters measures what happens', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-bench-load-'));
  const programs = await ensurePrograms(
    programsNeeded({ kube: false, nats: false, redis: false }),
    t.diagnostic,
  );
  const stand = await startStand({ dir, programs });
  t.after(async () => {
    await stand.stop();
    await rm(dir, { recursive: true, force: true });
  });
  await stand.startWorkers(1);
  await createClusters(stand, { first: 0, end: count }, () => {});
  const clusters = Array.from({ length: count }, (_, index) => clusterOf(index));
  const { items } = await stand.kube.list(configMapType, { namespace: clusters[0]?.namespace ?? '' });
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name).sort(),
    clusters.map(({ name }) => name).sort(),
    'each cluster has its ConfigMap',
  );
  const delays = await measureDelays(stand, clusters, { events: count, perSecond: 100 });
  assert.equal(delays.namedShare, 1, 'every event has woken a pass');
  assert.ok(delays.p50 <= delays.p99, `${delays.p50} ${delays.p99}`);
  assert.ok((await measurePasses(stand, clusters, { atLeastMs: 500, atLeastPasses: count })) > 0);
});
