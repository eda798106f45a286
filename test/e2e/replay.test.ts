import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Planner } from '../../libs/engine/decide.ts';
import { decodeRecording } from '../../libs/engine/recording.ts';
import { replay } from '../../libs/engine/replay.ts';
import { plannerOf } from '../../libs/engines/planners.ts';
import { until } from '../wait.ts';
import { canary, canaryEnvironment, checkCanary } from './canary.ts';
import { createCluster } from './cluster.ts';
import { quorate } from './command-line.ts';
import { lastPassOf, passUnasked } from './passes.ts';
import { conditionOf, etcdCluster, openStage } from './stage.ts';

// With ports for metrics, which are searched, too.
process.env['QUORATE_HTTP_PORT'] = '0';
const { stage, watched } = await openStage();
const dir = await mkdtemp(join(tmpdir(), 'quorate-replay-'));
after(() => rm(dir, { recursive: true, force: true }));

const name = 'replayed';
const file = join(dir, 'incident.quorate');
/** What the command said, and its exit code. */
async function said(...args: Parameters<typeof quorate>): Promise<{ code: number; text: string }> {
  try {
    return { code: 0, text: await quorate(...args) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

test('a cluster lives its life: created, scaled, healed, edited badly, deleted', async (t) => {
  const cluster = await createCluster({ stage, watched }, t, name);
  await stage.kubectl('scale', 'etcdcluster', name, '--replicas=5');
  await cluster.settled(5);
  const { followers } = await cluster.roles();
  await cluster.signal(followers[0], 'SIGKILL');
  await stage.kubectl('delete', 'pod', followers[1], '--wait=false');
  await cluster.until('its pod is gone', () =>
    cluster.pods().every(({ metadata }) => metadata.name !== followers[1]),
  );
  await cluster.settled(5);
  const newest = cluster.pods().at(-1)?.metadata.name ?? '';
  assert.equal((await stage.kubectl('exec', newest, '--', 'printenv', 'CANARY')).trim(), canary);
  const edit = (pod: object) =>
    stage.apply(
      etcdCluster(name, { size: 5, version: '3.4.23', pod: { etcdEnv: canaryEnvironment, ...pod } }),
    );
  const blocked = (status: string) => () => conditionOf(watched.resource(name), 'Blocked')?.status === status;
  await edit({ labels: { app: 'mine' } });
  await cluster.until('the bad edit is answered', blocked('True'));
  await edit({});
  await cluster.until('the good one, too', blocked('False'));
  const lastPass = await lastPassOf(stage, t, name);
  await until(
    'a pass repeats the one before',
    async () => {
      await passUnasked(stage, lastPass);
      const { text } = await said(stage, 'replay', name, '-n', stage.namespace);
      return /more found the same as the pass before/.test(text);
    },
    150_000,
  );
  await cluster.finish();
  const searched = await checkCanary(stage);
  const places = ['events', 'decisions', 'repeats', 'Redis', 'Kubernetes Events', 'statuses'];
  for (const place of places) assert.ok(searched.includes(place), `${place}: ${searched}`);
  assert.ok(searched.some((place) => /^log of .*worker/.test(place)));
  assert.ok(searched.filter((place) => place.startsWith('metrics of')).length >= 3);
  await stage.kubectl('delete', 'etcdcluster', name);
  await cluster.until('it is gone', () => cluster.pods().length === 0);
});

test('every pass of it replays as it was recorded, from the bus and from a file without servers', async () => {
  const live = await said(stage, 'replay', `etcd/${stage.namespace}/${name}`, '--since', '1h');
  assert.deepEqual([live.code, /different|missing/.test(live.text)], [0, false], live.text);
  assert.match(live.text, /^\d{2,} passes replayed: \d+ equal/m);
  const exported = await said(stage, 'replay', name, '-n', stage.namespace, '--export', file);
  assert.equal(exported.code, 0, exported.text);
  const moved = await said(undefined, 'replay', '--from', file);
  assert.deepEqual([moved.code, /different|missing/.test(moved.text)], [0, false], moved.text);
  assert.doesNotMatch(gunzipSync(await readFile(file)).toString(), new RegExp(canary));
  const { decisions } = decodeRecording(await readFile(file));
  // Usually the very first pass, woken by the event that the resource was added.
  const made = decisions.find(({ steps }) =>
    steps.some(({ step, outcome }) => step === 'createPod' && outcome === 'done'),
  );
  assert.ok(made);
  const one = await said(undefined, 'replay', '--from', file, '--at', made.id.slice(0, 8));
  assert.match(one.text, RegExp(`${made.plan?.reason} +equal\n[^]*done +pod replayed-1: seed 1 of 3`));
  assert.ok(one.text.includes(`woken by ${made.wokenBy.join(', ') || 'nothing but the time'}\n`), one.text);
});

test('an engine that decides one thing otherwise is told by exactly the decisions that change', async () => {
  const { decisions } = decodeRecording(await readFile(file));
  const etcd = plannerOf('etcd');
  assert.ok(etcd);
  const changed: Planner = {
    ...etcd,
    plan(...given) {
      const plan = etcd.plan(...given);
      return plan.reason === 'ScaleOut' ? { ...plan, steps: [] } : plan;
    },
  };
  const outcomes = decisions.map((decision) => [decision, replay(changed, decision)] as const);
  const different = outcomes.filter(([, { outcome }]) => outcome === 'different').map(([{ id }]) => id);
  const scaling = decisions
    .filter(({ plan }) => plan?.reason === 'ScaleOut' && plan.steps.length > 0)
    .map(({ id }) => id);
  assert.ok(scaling.length > 0);
  assert.deepEqual(different, scaling);
  for (const [, result] of outcomes) {
    if (result.outcome === 'different')
      assert.deepEqual(
        result.differences.map(({ part }) => part),
        ['steps'],
      );
  }
});

test('what cannot be replayed is refused with its reason', async () => {
  const whole = await readFile(file);
  const cut = join(dir, 'cut.quorate');
  await writeFile(cut, whole.subarray(0, whole.length / 2));
  const refused: [string[], RegExp][] = [
    [['--from', cut], /cut off or damaged/],
    [['--from', 'README.md'], /no gzip file/],
    [['--from', file, 'etcd/default/other'], new RegExp(`it is about etcd/${stage.namespace}/${name} from`)],
  ];
  for (const [args, reason] of refused) {
    const { code, text } = await said(undefined, 'replay', ...args);
    assert.deepEqual([code, reason.test(text)], [2, true], text);
  }
  const unknown = await said(stage, 'replay', 'etcd/default/nobody');
  assert.deepEqual(
    [unknown.code, /No pass of .* is recorded\. What is kept begins at 2/.test(unknown.text)],
    [2, true],
    unknown.text,
  );
});
