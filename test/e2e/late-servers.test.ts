import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../wait.ts';
import { logFromNow, type ServiceLine } from './logs.ts';
import { etcdCluster, type Stage, startStage } from './stage.ts';

const services = ['watcher', 'worker-1', 'worker-2', 'observer'];
const servers = ['nats-server', 'redis-server'];

let stage: Stage;
before(async () => {
  stage = await startStage();
});
after(() => stage?.stop());

const all = (names: string[], act: (name: string) => Promise<void>) => Promise.all(names.map(act));
const pids = () => services.map((service) => stage.stack.process(service).pid);

test('services started before their servers wait without ending or filling the log, and then work', async () => {
  const { process } = stage.stack;
  await all(services, (name) => process(name).stop());
  await all(servers, (name) => process(name).stop());
  await stage.apply(etcdCluster('patient', { size: 3, version: '3.4.23' }));
  process('sandbox').kill('SIGSTOP');
  const logs = await Promise.all(services.map((service) => logFromNow(stage.stack, service)));
  const [watcher = logs[0]] = logs;
  const says = async (log: (() => Promise<ServiceLine[]>) | undefined, words: string) =>
    ((await log?.()) ?? []).some(({ msg }) => msg.startsWith(words));

  await all(services, (name) => process(name).start());
  const started = pids();
  for (const log of logs) {
    await until('NATS is missed', () => says(log, 'NATS is not reachable'), 60_000);
  }
  await all(servers, (name) => process(name).start());
  await until('the API is missed', () => says(watcher, 'Kubernetes API is not reachable'), 60_000);
  process('sandbox').kill('SIGCONT');
  await stage.settled('patient', 3);

  assert.deepEqual(pids(), started, 'no service ended');
  for (const log of logs) {
    const lines = await log();
    assert.ok(lines.length <= 10, lines.map(({ msg, reason }) => `${msg}: ${reason}`).join('\n'));
  }
});
