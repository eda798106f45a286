import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWriter } from '../writer.ts';
import { etcdCluster, openStage } from './stage.ts';

const { stage } = await openStage();

test('a cluster of three appears, serves, scales to five and back, without losing an acknowledged write', async () => {
  await stage.apply(etcdCluster('walk', { size: 1, version: '3.4.23' }));
  await stage.settled('walk', 1);
  const writer = startWriter({ endpoints: () => stage.endpoints('walk'), prefix: 'walk' });
  for (const size of [3, 5, 3, 1]) {
    await stage.kubectl('scale', 'etcdcluster', 'walk', `--replicas=${size}`);
    await stage.settled('walk', size);
  }
  await writer.stop();
  assert.ok(writer.acknowledged() > 0);
  await writer.verify(stage.endpoints('walk'));
});
