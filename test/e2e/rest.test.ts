import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Decision } from '../../libs/engine/decision.ts';
import type { EtcdFacts } from '../../libs/engines/etcd/facts.ts';
import { workerSettings } from '../../services/worker/settings.ts';
import { redisCommand } from '../servers.ts';
import { until } from '../wait.ts';
import { createCluster, type TestCluster } from './cluster.ts';
import { lastPassOf, undisturbed } from './passes.ts';
import { openStage } from './stage.ts';

/**
 * A cluster at rest: its members are looked at, each at least every 15 s, which costs no request to the Kubernetes API,
 * and what only they can tell leads to a pass. How often they were looked at is for them to say.
 */
const longestMs = 15_000;

const { stage, watched } = await openStage();
const isSandbox = stage.bench.kubernetes.kind === 'sandbox';

/** How often each member has been asked for its status, by its own metrics. */
async function looksAt({ pods }: TestCluster): Promise<number[]> {
  const counts = pods().map(async (pod) => {
    const { podIP } = pod['status'] as { podIP: string };
    const text = await (await fetch(`http://${podIP}:2379/metrics`)).text();
    return Number(/^grpc_server_started_total\{grpc_method="Status".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  });
  return Promise.all(counts);
}

/** Waits until every member was looked at so many more times, and fails where one had to wait for too long. */
async function looked(cluster: TestCluster, times: number): Promise<void> {
  let counts = await looksAt(cluster);
  for (let time = 1; time <= times; time++) {
    const before = counts;
    const beganMs = performance.now();
    await until('each member was looked at', async () => {
      counts = await looksAt(cluster);
      return counts.every((count, index) => count > (before[index] ?? 0));
    });
    const waitedMs = Math.round(performance.now() - beganMs);
    assert.ok(waitedMs < longestMs, `a member was not looked at for ${waitedMs} ms`);
  }
}

/**
 * Waits until members were looked at since the last pass. A pass asks them as well, and is recorded a moment later: the
 * first time may be that of a pass, whose record is there by the second.
 */
async function rests(cluster: TestCluster, lastPass: () => Promise<number>): Promise<void> {
  await cluster.until('it is at rest', async () => {
    const before = await lastPass();
    await looked(cluster, 2);
    return (await lastPass()) === before;
  });
}

/** All that was asked of the sandbox's API but watches, by verb and resource. */
async function requests(): Promise<string[]> {
  const text = await stage.kubectl('get', '--raw', '/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  return lines.filter((line) => !line.includes('verb="WATCH"'));
}

const sum = (lines: string[]): number =>
  lines.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);

describe('a cluster at rest', () => {
  let cluster: TestCluster;
  let lastPass: () => Promise<number>;
  const ends: (() => unknown)[] = [];

  before(async () => {
    const file = { after: (end: () => unknown) => void ends.push(end) };
    cluster = await createCluster({ stage, watched }, file, 'resting');
    lastPass = await lastPassOf(stage, file, 'resting');
    // Whoever writes does not rest.
    await cluster.finish();
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** When the first pass began, of those since then, that is as wanted. */
  const passSince = async (sinceMs: number, isWanted: (decision: Decision) => boolean) => {
    const find = () =>
      watched.decisions('resting').find((each) => Date.parse(each.time) >= sinceMs && isWanted(each));
    const { time } = await until('there is such a pass', find, 60_000);
    return Date.parse(time);
  };

  /** Has etcd's leader hand over to another member; returns the id of that one. */
  async function handOver(): Promise<string> {
    let heir = '';
    await cluster.until('another member leads', async () => {
      const { leader, followers } = await cluster.roles();
      heir = (await cluster.ids())[followers[0]] ?? '';
      // It refuses where another one was elected since it was asked who leads.
      return stage.kubectl('exec', leader, '--', 'etcdctl', 'move-leader', heir).then(
        () => true,
        () => false,
      );
    });
    return heir;
  }

  const leads = (id: string, facts: unknown): boolean =>
    Object.values((facts as EtcdFacts | null)?.members ?? {}).some(
      ({ status }) => status.ok && status.value.leaderId === id,
    );

  test('is looked at, and neither gets a pass nor costs a request to the Kubernetes API', async (t) => {
    const told = async () => [await lastPass(), isSandbox && (await requests())];
    let beganMs = 0;
    const [before, after] = await undisturbed(watched, 'resting', async () => {
      await rests(cluster, lastPass);
      const before = await told();
      beganMs = performance.now();
      await looked(cluster, 4);
      return [before, await told()];
    });
    assert.deepEqual(after, before);
    t.diagnostic(`4 looks at each member in ${Math.round((performance.now() - beganMs) / 1000)} s`);
  });

  test('gets a pass when etcd has changed in a way that Kubernetes does not tell', async (t) => {
    await rests(cluster, lastPass);
    const askedMs = Date.now();
    const heir = await handOver();
    const movedMs = Date.now();
    const wokenMs = await passSince(askedMs, ({ wokenBy }) =>
      wokenBy.some((id) => id.startsWith('look/resting-')),
    );
    // Whoever was asked in the moment of the change may have known of no other leader yet, and is asked again soon.
    const seenMs = await passSince(wokenMs, ({ facts }) => leads(heir, facts));
    t.diagnostic(`after ${seenMs - movedMs} ms`);
    assert.ok(seenMs - movedMs < longestMs);
  });

  test('gets a pass when a member freezes', async (t) => {
    await rests(cluster, lastPass);
    const { followers } = await cluster.roles();
    // Once without effect: the first signal on a node may have to wait for who sends it.
    await cluster.signal(followers[0], 'SIGCONT');
    const askedMs = Date.now();
    await cluster.signal(followers[0], 'SIGSTOP');
    const frozenMs = Date.now();
    const seenMs = await passSince(askedMs, ({ plan }) => plan?.reason === 'MemberUnhealthy');
    t.diagnostic(`after ${seenMs - frozenMs} ms`);
    assert.ok(seenMs - frozenMs < longestMs);
    await cluster.settled(3);
  });

  test('gets a pass when Redis has lost everything, and is looked at again', async (t) => {
    const { tookMs, asked } = await undisturbed(watched, 'resting', async () => {
      await rests(cluster, lastPass);
      const before = isSandbox ? sum(await requests()) : 0;
      const lostMs = Date.now();
      await redisCommand({ url: stage.operator.redisUrl }, 'FLUSHALL');
      await until('it has a pass', async () => (await lastPass()) > lostMs, 60_000);
      const tookMs = (await lastPass()) - lostMs;
      await rests(cluster, lastPass);
      return { tookMs, asked: isSandbox ? sum(await requests()) - before : 0 };
    });
    t.diagnostic(`after ${tookMs} ms`);
    assert.ok(tookMs < 30_000);
    if (!isSandbox) return;
    // A pass was woken, and another one confirmed it; by itself, a cluster at rest gets no more than one.
    const perHour = (asked * 3_600_000) / (0.75 * workerSettings.shape.QUORATE_RESYNC_MS.parse(undefined));
    t.diagnostic(`${asked} requests, which at rest would be ${perHour.toFixed(1)} an hour`);
    assert.ok(asked > 0 && perHour <= 12);
  });
});
