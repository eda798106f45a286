import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../wait.ts';
import { type ServiceLine, servers, services } from './bench/operator.ts';
import { etcdCluster, openStage } from './stage.ts';

const { stage } = await openStage();
const { operator, freezeApi } = stage;

type Log = () => Promise<Map<string, ServiceLine[]>>;

const allSay = (log: Log, words: string) =>
  until(
    `every process says: ${words}`,
    async () => {
      const lines = [...(await log()).values()];
      return lines.length > 0 && lines.every((each) => each.some(({ msg }) => msg.startsWith(words)));
    },
    150_000,
  );

test('services started before their servers wait without ending or filling the log, and then work', async () => {
  await Promise.all(services.map(operator.stop));
  await Promise.all(servers.map(operator.stop));
  await stage.apply(etcdCluster('patient', { size: 3, version: '3.4.23' }));
  // Where the API cannot be frozen, the services miss only NATS and Redis.
  const thaw = await freezeApi?.();
  const logs = await Promise.all(services.map(operator.logFromNow));
  const [watcherLog] = logs;

  await Promise.all(services.map(operator.start));
  for (const log of logs) await allSay(log, 'NATS is not reachable');
  const started = await operator.lives(services);
  await Promise.all(servers.map(operator.start));
  if (thaw && watcherLog) {
    await allSay(watcherLog, 'Kubernetes API is not reachable');
    await thaw();
  }
  await stage.settled('patient', 3);

  assert.deepEqual(await operator.lives(services), started, 'no process ended');
  for (const log of logs) {
    for (const [name, lines] of await log()) {
      const text = lines.map(({ msg, reason }) => `${msg}: ${reason}`).join('\n');
      assert.ok(lines.length <= 10, `${name}:\n${text}`);
    }
  }
});
