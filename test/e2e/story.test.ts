import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../libs/kube/object.ts';
import type { Cause, PassCause } from '../../services/cli/story/cause.ts';
import type { StoryEntry } from '../../services/cli/story/story.ts';
import type { Answer } from '../../services/cli/story/why.ts';
import { until } from '../wait.ts';
import { createCluster } from './cluster.ts';
import { quorate } from './command-line.ts';
import { lastPassOf, morePasses, passUnasked, undisturbed } from './passes.ts';
import { openStage } from './stage.ts';

// What `quorate events`, `why` and `replay --redeliver` make of what really happens.

const seen = await openStage();
const { stage, watched } = seen;

const place = ['-n', stage.namespace];

async function storyOf(name: string): Promise<StoryEntry[]> {
  const output = await quorate(stage, 'events', name, '--json', ...place);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StoryEntry);
}

/** The passes from this one back, each the first cause of the one before: how many there are is up to the timing. */
const passesOf = (cause: Cause | undefined): PassCause[] =>
  cause?.type === 'pass' ? [cause, ...passesOf(cause.because[0])] : [];

test('why names what led to a pod that replaces one that was deleted', async (t) => {
  const cluster = await createCluster(seen, t, 'chain', { betweenWritesMs: 100 });
  const [lost] = (await cluster.roles()).followers;
  await stage.kubectl('delete', 'pod', lost, '--wait=false');
  await cluster.until('another pod is there', () =>
    cluster.pods().some(({ metadata }) => metadata.name === 'chain-4'),
  );
  await cluster.settled(3);

  const answer = JSON.parse(await quorate(stage, 'why', 'pod/chain-4', '--json', ...place)) as Answer;
  const [part] = answer.parts;
  assert.equal(part?.uid, cluster.pod('chain-4').metadata.uid);
  const [made] = part?.causes ?? [];
  assert.ok(made?.type === 'pass');
  assert.deepEqual(
    made.steps.map(({ step }) => step),
    ['createPod'],
  );
  const chain = passesOf(made);
  const removal = chain.findLast(({ steps }) => steps.some(({ step }) => step === 'removeMember'));
  assert.equal(removal?.reason, 'MemberLost', chain.map(({ reason }) => reason).join(' after '));
  // A pass that saw the pod gone before its event came was led to by the one that saw it going.
  const [root] = chain.at(-1)?.because ?? [];
  assert.ok(root?.type === 'change');
  assert.deepEqual([root.object, root.change], [`pod/${lost}`, 'deleted']);
  assert.match(root.hint ?? '', /by no step of Quorate/);
});

test('the story tells of a member that was killed, and started again', async (t) => {
  const cluster = await createCluster(seen, t, 'killed', { claims: true, betweenWritesMs: 100 });
  const [struck] = (await cluster.roles()).followers;
  await cluster.signal(struck, 'SIGKILL');
  const told = (entries: StoryEntry[]) =>
    entries.some(
      (entry) =>
        entry.type === 'change' &&
        entry.object === `pod/${struck}` &&
        entry.differences.some(({ path, after }) => path.at(-1) === 'restartCount' && Number(after) > 0),
    );
  await until('the story tells of the restart', async () => told(await storyOf('killed')), 150_000);
  await cluster.settled(3);
});

test('the story tells each pass after what woke it, and what then changed', async () => {
  const story = await storyOf('chain');
  const asked = story.find(({ type }) => type === 'change');
  assert.ok(asked?.type === 'change' && asked.change === 'added' && asked.by?.startsWith('kubectl'));
  // Not always the first pass of all: a resync may come upon a resource before its event does.
  const woken = story.findIndex(
    (entry) => entry.type === 'pass' && entry.wokenBy.some(({ event }) => event === asked.event),
  );
  assert.ok(woken > story.indexOf(asked), 'the pass follows what woke it');
  const turned = story.findIndex(
    (entry) =>
      entry.type === 'change' &&
      entry.differences.some(({ path, after }) => path.at(-1) === 'Available' && after === 'True'),
  );
  assert.ok(turned > woken, 'the status follows the pass');
});

/** Whatever there is of the cluster, to the very version. */
async function versions(name: string): Promise<string[]> {
  const objects = await stage.list(
    'pods,services,persistentvolumeclaims,poddisruptionbudgets',
    `etcd_cluster=${name}`,
  );
  const resource = await stage.get('etcdcluster', name);
  const version = ({ kind, metadata }: KubeObject) =>
    `${kind} ${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`;
  return [...objects, ...(resource ? [resource] : [])].map(version).sort();
}

test('to deliver all that happened again, twice, changes nothing: passes read the present', async (t) => {
  const cluster = await createCluster(seen, t, 'twice', { betweenWritesMs: 100 });
  const [lost] = (await cluster.roles()).followers;
  await stage.kubectl('delete', 'pod', lost, '--wait=false');
  await cluster.until('another pod is there', () =>
    cluster.pods().some(({ metadata }) => metadata.name === 'twice-4'),
  );
  await cluster.settled(3);
  const lastPass = await lastPassOf(stage, t, 'twice');
  // What still follows from that, like the status of the budget, has its end in a few passes.
  await morePasses(stage, watched, 'twice', 2);
  await stage.kubectl('annotate', 'etcd', 'twice', 'example.com/woken-');
  await passUnasked(stage, lastPass);
  const told = async () =>
    (await storyOf('twice'))
      .filter((entry) => entry.type === 'change')
      .filter(({ redeliveryOf }) => redeliveryOf === undefined);

  const again = await undisturbed(watched, 'twice', async () => {
    const before = await versions('twice');
    const happened = await told();
    const last = `${happened.at(-1)?.event}/redelivered/`;
    const lastWoke = () =>
      new Set(
        watched.decisions('twice').flatMap(({ wokenBy }) => wokenBy.filter((id) => id.startsWith(last))),
      ).size;
    for (let turn = 1; turn <= 2; turn++) {
      const woken = lastWoke();
      const output = await quorate(stage, 'replay', 'twice', '--redeliver', '--speed', '1000', ...place);
      assert.match(output, RegExp(`${happened.length} of ${happened.length} events were delivered again`));
      await until('a pass was woken by the last of them', () => lastWoke() > woken, 150_000);
    }
    await passUnasked(stage, lastPass);
    return { before, after: await versions('twice'), news: (await told()).length - happened.length };
  });
  assert.deepEqual(again.after, again.before);
  assert.equal(again.news, 0);

  // Nor does a watcher that compares what there is with what it has told last mistake them for news.
  const news = await undisturbed(watched, 'twice', async () => {
    const before = (await told()).length;
    await stage.operator.crash([{ component: 'watcher' }]);
    await stage.kubectl('annotate', 'etcd', 'twice', '--overwrite', `example.com/seen=${Date.now()}`);
    await until(
      'the watcher tells of what changed since',
      async () => (await told()).length > before,
      150_000,
    );
    await passUnasked(stage, lastPass);
    return (await told()).length - before;
  });
  assert.equal(news, 1);
});
