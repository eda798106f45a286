import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { memberNumber } from '../../libs/engines/etcd/names.ts';
import { services } from './bench/operator.ts';
import { containerOf, createCluster, type TestCluster, type TestClusterOptions } from './cluster.ts';
import { openStage } from './stage.ts';

const { stage, watched } = await openStage();
const logs = await Promise.all(services.map(stage.operator.logFromNow));

const create = (t: TestContext, name: string, options?: TestClusterOptions) =>
  createCluster({ stage, watched }, t, name, options);

/** Sends the signal, after which the member is to be started again in its pod; returns what waits until it is back. */
async function strike(
  cluster: TestCluster,
  pod: string,
  signal: NodeJS.Signals,
): Promise<() => Promise<void>> {
  // Told by the container: a kubelet counts no restart where the one before was cleared away by then.
  const { uid } = cluster.pod(pod).metadata;
  const container = containerOf(cluster.pod(pod));
  await cluster.signal(pod, signal);
  return async () => {
    await cluster.until(`${pod} is started again`, () => containerOf(cluster.pod(pod)) !== container);
    await cluster.settled(cluster.pods().length);
    assert.equal(cluster.pod(pod).metadata.uid, uid);
  };
}

/** Waits until the cluster rests without these members, and with as many new ones under numbers never given before. */
async function replaced(cluster: TestCluster, lost: string[], before: Record<string, string>): Promise<void> {
  const names = Object.keys(before);
  await cluster.until(`${lost.join(', ')} is gone`, () =>
    cluster.pods().every(({ metadata }) => !lost.includes(metadata.name)),
  );
  await cluster.settled(names.length);
  const ids = await cluster.ids();
  const highest = Math.max(...names.map((name) => memberNumber(cluster.name, name) ?? 0));
  const fresh = Object.keys(ids).filter((name) => !names.includes(name));
  assert.equal(fresh.length, lost.length);
  for (const name of fresh)
    assert.ok((memberNumber(cluster.name, name) ?? 0) > highest, `${name} is used again`);
  for (const name of names) assert.equal(ids[name], lost.includes(name) ? undefined : before[name]);
}

/** Waits until the pod is another one, which runs the same member as before. */
async function returned(
  cluster: TestCluster,
  pods: string[],
  before: Record<string, string>,
  uids: string[],
) {
  await cluster.until(`${pods.join(', ')} are other pods`, () =>
    cluster.pods().every(({ metadata }) => !uids.includes(metadata.uid ?? '')),
  );
  await cluster.settled(Object.keys(before).length);
  assert.deepEqual(await cluster.ids(), before);
}

/**
 * Changes etcd's members by hand; whether that is done. It is not while etcd refuses, as in the first five seconds after
 * its members found each other, and what was too slow to be answered may have been done, which `isDone` tells.
 */
async function changesMembers(pod: string, isDone: RegExp, ...args: string[]): Promise<boolean> {
  try {
    await stage.kubectl('exec', pod, '--', 'etcdctl', 'member', ...args);
    return true;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    if (isDone.test(stderr)) return true;
    if (/unhealthy|timed out|deadline exceeded/.test(stderr)) return false;
    throw error;
  }
}

const uidsOf = (cluster: TestCluster, pods: string[]): string[] =>
  pods.map((pod) => cluster.pod(pod).metadata.uid ?? '');

describe('heal', { concurrency: 4 }, () => {
  test('a frozen member is started again, and the others go on without it meanwhile', async (t) => {
    const cluster = await create(t, 'frozen');
    const before = await cluster.ids();
    const [follower] = (await cluster.roles()).followers;
    const container = containerOf(cluster.pod(follower));
    const back = await strike(cluster, follower, 'SIGSTOP');
    const written = cluster.writer.acknowledged();
    await cluster.until('the others go on without it', () => {
      assert.equal(containerOf(cluster.pod(follower)), container, 'it is frozen still');
      return cluster.writer.acknowledged() > written + 10;
    });
    await back();
    assert.deepEqual(await cluster.ids(), before);
    assert.ok(cluster.writer.longestPauseMs() < 20_000);
    await cluster.finish();
  });

  test('a member whose process is killed returns as the same member', async (t) => {
    const cluster = await create(t, 'killed');
    const before = await cluster.ids();
    const { followers } = await cluster.roles();
    const back = await strike(cluster, followers[0], 'SIGKILL');
    await back();
    assert.deepEqual(await cluster.ids(), before);
    await cluster.finish();
  });

  test('when the leader’s process is killed, another one leads, and it returns as the same member', async (t) => {
    const cluster = await create(t, 'headless');
    const before = await cluster.ids();
    const { leader } = await cluster.roles();
    const back = await strike(cluster, leader, 'SIGKILL');
    await back();
    assert.deepEqual(await cluster.ids(), before);
    await cluster.finish();
  });

  test('a member whose pod is deleted returns under its name with the data of its claim', async (t) => {
    const cluster = await create(t, 'returns', { claims: true });
    const before = await cluster.ids();
    const { leader } = await cluster.roles();
    const uids = uidsOf(cluster, [leader]);
    // kubectl would wait for a pod of that name to go, and for ever where the next one comes before it looks.
    await stage.kubectl('delete', 'pod', leader, '--wait=false');
    await returned(cluster, [leader], before, uids);
    await cluster.finish();
  });

  test('a member without a claim whose pod is deleted is replaced under a number that was never used', async (t) => {
    const cluster = await create(t, 'replaced');
    const before = await cluster.ids();
    const { leader } = await cluster.roles();
    await stage.kubectl('delete', 'pod', leader);
    await replaced(cluster, [leader], before);
    await cluster.finish();
  });

  test('a member whose pod is deleted by force is replaced', async (t) => {
    const cluster = await create(t, 'forced');
    const before = await cluster.ids();
    const { followers } = await cluster.roles();
    await stage.kubectl('delete', 'pod', followers[0], '--force', '--grace-period=0');
    await replaced(cluster, [followers[0]], before);
    await cluster.finish();
  });

  test('a member whose pod is deleted by force returns at once with the data of its claim', async (t) => {
    const cluster = await create(t, 'forced-claim', { claims: true });
    const before = await cluster.ids();
    const { followers } = await cluster.roles();
    const uids = uidsOf(cluster, [followers[0]]);
    await stage.kubectl('delete', 'pod', followers[0], '--force', '--grace-period=0');
    await returned(cluster, [followers[0]], before, uids);
    await cluster.finish();
  });

  test('a member whose pod and claim are deleted together is replaced', async (t) => {
    const cluster = await create(t, 'both', { claims: true });
    const before = await cluster.ids();
    const { followers } = await cluster.roles();
    await stage.kubectl('delete', `pod/${followers[0]}`, `pvc/${followers[0]}`);
    await replaced(cluster, [followers[0]], before);
    await cluster.finish();
  });

  test('a member whose claim is deleted while it runs is replaced while the others are healthy', async (t) => {
    const cluster = await create(t, 'unclaimed', { claims: true });
    const before = await cluster.ids();
    const { leader } = await cluster.roles();
    await stage.kubectl('delete', 'pvc', leader, '--wait=false');
    await replaced(cluster, [leader], before);
    await cluster.finish();
  });

  test('a member that finds its disk empty is replaced, and never begins again without its data', async (t) => {
    const cluster = await create(t, 'lostdisk', { claims: true });
    const before = await cluster.ids();
    const { followers } = await cluster.roles();
    const [lost] = followers;
    await cluster.signal(lost, 'SIGSTOP');
    await stage.node.empty(cluster.pod(lost), '/var/etcd');
    await stage.kubectl('delete', 'pod', lost, '--force', '--grace-period=0');
    await replaced(cluster, [lost], before);
    await cluster.finish();
  });

  test('two of five members lost at once are both replaced', async (t) => {
    const cluster = await create(t, 'five', { size: 5 });
    const before = await cluster.ids();
    const { leader, followers } = await cluster.roles();
    const lost = [leader, followers[0]];
    await stage.kubectl('delete', 'pod', ...lost, '--force', '--grace-period=0');
    await replaced(cluster, lost, before);
    await cluster.finish();
  });

  test('a member that etcd lists and Kubernetes does not know is removed', async (t) => {
    const cluster = await create(t, 'stranger');
    const before = await cluster.ids();
    const { leader } = await cluster.roles();
    const url = 'http://somebody.elsewhere.example:2380';
    await cluster.until('etcd lets a member in', () =>
      changesMembers(leader, /already exists/, 'add', 'somebody', `--peer-urls=${url}`),
    );
    await cluster.until('the stranger is removed', async () => !('somebody' in (await cluster.ids())));
    await cluster.settled(3);
    assert.deepEqual(await cluster.ids(), before);
    await cluster.finish();
  });

  test('a pod and a claim of a member that etcd does not list any more go, and the member is replaced', async (t) => {
    const cluster = await create(t, 'expelled', { claims: true });
    const before = await cluster.ids();
    const { leader, followers } = await cluster.roles();
    await cluster.until('etcd lets a member go', () =>
      changesMembers(leader, /member not found/i, 'remove', before[followers[0]] ?? ''),
    );
    await replaced(cluster, [followers[0]], before);
    await cluster.finish();
  });

  test('services that are deleted by hand come back', async (t) => {
    const cluster = await create(t, 'services', { size: 1 });
    const uids = watched.services('services').map(({ metadata }) => metadata.uid);
    await stage.kubectl('delete', 'service', 'services', 'services-client');
    await cluster.until('both services are new ones', () => {
      const present = watched.services('services').map(({ metadata }) => metadata.uid);
      return present.length === 2 && present.every((uid) => !uids.includes(uid));
    });
    await cluster.settled(1);
    await cluster.finish();
  });

  test('ports of a service that somebody changed are put back', async (t) => {
    const cluster = await create(t, 'ports', { size: 1 });
    const service = () => watched.services('ports').find(({ metadata }) => metadata.name === 'ports-client');
    const portOf = () =>
      (service()?.['spec'] as { ports?: { port: number }[] } | undefined)?.ports?.[0]?.port;
    const change = [{ op: 'replace', path: '/spec/ports/0/port', value: 12379 }];
    const before = service()?.metadata.resourceVersion;
    const changed = await stage.kubectl(
      ...['patch', 'service', 'ports-client', '--type=json', `-p=${JSON.stringify(change)}`],
      ...['-o', 'jsonpath={.metadata.resourceVersion} {.spec.ports[0].port}'],
    );
    assert.match(changed, / 12379$/);
    await cluster.until('the port is what it was', () => {
      const { resourceVersion = '' } = service()?.metadata ?? {};
      return resourceVersion !== before && !changed.startsWith(`${resourceVersion} `) && portOf() === 2379;
    });
    await cluster.settled(1);
    await cluster.finish();
  });
});

test('no service has had an error to log', async () => {
  for (const read of logs) {
    for (const [name, lines] of await read()) {
      const errors = lines.filter(({ level }) => level === 'error');
      assert.deepEqual(errors, [], name);
    }
  }
});
