import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { servers, services, type Target } from './bench/operator.ts';
import { adoptCluster, createCluster, isGoing, namesOf, specOf, type TestCluster } from './cluster.ts';
import { morePasses, stepsDone } from './passes.ts';
import { conditionOf, etcdCluster, openStage, statusOf } from './stage.ts';
import { assertUntouched, fingerprint } from './untouched.ts';

/**
 * Every process of Quorate is killed in the middle of everything that it does. A round per victim: seven clusters
 * do something at the same time, and each kills the victim when it is in the middle of it; the victim is started
 * again, and all must end as if nothing had been. The clusters live on from round to round, under the same writers.
 */
/** In an order that gives each the time to be started again without the long delay of a process that keeps dying. */
const victims: Record<string, Target[]> = {
  'both workers': [{ component: 'worker' }],
  Redis: [{ component: 'redis' }],
  NATS: [{ component: 'nats' }],
  'the first worker': [{ component: 'worker', instance: 1 }],
  'the second worker': [{ component: 'worker', instance: 2 }],
  'the watcher': [{ component: 'watcher' }],
  'the observer': [{ component: 'observer' }],
  'every process': [...services, ...servers].map((component) => ({ component })),
};

const { stage, watched } = await openStage();
const ends: (() => Promise<void>)[] = [];
const file = { after: (end: () => Promise<void>) => void ends.push(end) };
/** Takes turns with the next: one grows while the other shrinks. */
let small: TestCluster;
let large: TestCluster;
let wounded: TestCluster;
let resting: TestCluster;
let misled: TestCluster;
/** Made in the round before, deleted in this one. */
let old: TestCluster;

before(async () => {
  const create = (name: string, size: number, claims = false) =>
    createCluster({ stage, watched }, file, name, { size, claims });
  [small, large, wounded, resting, misled, old] = await Promise.all([
    create('one', 1),
    create('two', 3, true),
    create('wounded', 3),
    create('resting', 3, true),
    create('misled', 1),
    create('old', 3, true),
  ]);
});
after(async () => {
  for (const end of ends) await end();
});

const scale = ({ name }: TestCluster, size: number) =>
  stage.kubectl('scale', 'etcdcluster', name, `--replicas=${size}`);

async function growsTo3(cluster: TestCluster, strike: () => Promise<void>): Promise<void> {
  await scale(cluster, 3);
  await cluster.until('a member is added', () => cluster.pods().length > 1);
  await strike();
  await cluster.settled(3);
  await cluster.verify();
}

async function shrinksTo1(cluster: TestCluster, strike: () => Promise<void>): Promise<void> {
  await scale(cluster, 1);
  await cluster.until('a member is removed', () => cluster.pods().length < 3 || cluster.pods().some(isGoing));
  await strike();
  await cluster.settled(1);
  await cluster.verify();
}

async function heals(cluster: TestCluster, strike: () => Promise<void>): Promise<void> {
  const before = await cluster.ids();
  const { leader } = await cluster.roles();
  await stage.kubectl('delete', 'pod', leader, '--force', '--grace-period=0');
  await cluster.until('another one is added', () =>
    cluster.pods().some(({ metadata }) => before[metadata.name] === undefined),
  );
  await strike();
  await cluster.settled(3);
  const after = await cluster.ids();
  for (const [name, id] of Object.entries(before))
    assert.equal(after[name], name === leader ? undefined : id);
  await cluster.verify();
}

const patch = ({ name }: TestCluster, spec: object) =>
  stage.kubectl('patch', 'etcd', name, '--type=merge', '-p', JSON.stringify({ spec }));

async function rests(cluster: TestCluster, strike: () => Promise<void>): Promise<void> {
  const { name } = cluster;
  await patch(cluster, { paused: true });
  await cluster.until('it is paused', () => statusOf(watched.resource(name)).controlPaused === true);
  await stage.kubectl('delete', 'pod', `${name}-2`);
  await strike();
  assert.deepEqual(stepsDone(await morePasses(stage, watched, name, 2)), []);
  assert.equal(namesOf(cluster.pods()), `${name}-1 ${name}-3`);
  await patch(cluster, { paused: false });
  await cluster.settled(3);
  await cluster.verify();
}

async function endures(cluster: TestCluster, strike: () => Promise<void>): Promise<void> {
  const { name } = cluster;
  const before = await fingerprint(stage, name);
  const isBlocked = () => conditionOf(watched.resource(name), 'Blocked')?.status === 'True';
  await patch(cluster, { size: 2, pod: { labels: { app: 'other' } } });
  await strike();
  await cluster.until('its resource says what is wrong', isBlocked);
  await assertUntouched(stage, name, before);
  await patch(cluster, { size: 1, pod: { labels: null } });
  await cluster.until('its resource is in order', () => !isBlocked());
  await cluster.settled(1);
  await assertUntouched(stage, name, before);
}

async function appears(name: string, strike: () => Promise<void>): Promise<TestCluster> {
  const cluster = adoptCluster({ stage, watched }, file, name, { claims: true });
  await stage.apply(etcdCluster(name, specOf({ claims: true })));
  await cluster.until('its first pod is there', () => cluster.pods().length > 0);
  await strike();
  await cluster.settled(3);
  assert.equal(namesOf(cluster.pods()), `${name}-1 ${name}-2 ${name}-3`);
  await cluster.verify();
  return cluster;
}

async function disappears(cluster: TestCluster, strike: () => Promise<void>): Promise<void> {
  await cluster.finish();
  await stage.kubectl('delete', 'etcdcluster', cluster.name, '--wait=false');
  await cluster.until('its pods are going', () => cluster.pods().length < 3 || cluster.pods().some(isGoing));
  await strike();
  await cluster.until('nothing of it is left', () => {
    const { name } = cluster;
    const resource = watched.resource(name);
    const left = [watched.pods(name), watched.claims(name), watched.services(name)].flat();
    return resource === undefined && left.length === 0;
  });
}

let round = 0;
for (const [victim, struck] of Object.entries(victims)) {
  const next = `new-${++round}`;
  test(`killing ${victim}`, { concurrency: true }, async (t: TestContext) => {
    // One that has just been killed by another scenario is down already.
    const strike = () => stage.operator.crash(struck);
    let created: TestCluster | undefined;
    await Promise.all([
      t.test('in the middle of a create: the cluster appears', async () => {
        created = await appears(next, strike);
      }),
      t.test('in the middle of a scale out: the cluster reaches its size', () => growsTo3(small, strike)),
      t.test('in the middle of a scale in: the cluster reaches its size', () => shrinksTo1(large, strike)),
      t.test('in the middle of a heal: the lost member is replaced', () => heals(wounded, strike)),
      t.test('in the middle of a delete: nothing is left', () => disappears(old, strike)),
      t.test('in the middle of a pause: nothing is touched before it ends', () => rests(resting, strike)),
      t.test('in the middle of a bad edit: it is said, and nothing is touched', () =>
        endures(misled, strike),
      ),
    ]);
    assert.ok(created, 'the cluster did not appear');
    old = created;
    [small, large] = [large, small];
  });
}

test('every write that was acknowledged in all that time is there', async () => {
  for (const cluster of [small, large, wounded, resting, misled, old]) await cluster.finish();
});
