import { z } from 'zod';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { restartsOf, type TestCluster } from '../../e2e/cluster.ts';
import { ownedKinds, type Scene, subjectOf } from './scene.ts';

/** Which members of a cluster a word means. */
export const choice = z
  .enum(['newest', 'oldest', 'leader', 'follower', 'any', 'two', 'all'])
  .default('follower');

/** The names of the pods that are meant. `follower`, `any` and `two` leave it to chance which. */
export async function chooseMembers(
  { random }: Scene,
  cluster: TestCluster,
  which: z.infer<typeof choice>,
): Promise<string[]> {
  const names = cluster.pods().map(({ metadata }) => metadata.name);
  const given = (name: string | undefined) => {
    if (name === undefined) throw new Error(`${cluster.name} has no members`);
    return [name];
  };
  switch (which) {
    case 'newest':
      return given(names.at(-1));
    case 'oldest':
      return given(names[0]);
    case 'leader':
      return [(await cluster.roles()).leader];
    case 'follower':
      return [random.pick((await cluster.roles()).followers)];
    case 'any':
      return [random.pick(names)];
    case 'two': {
      const spared = random.pick(names);
      return names.filter((name) => name !== spared).slice(0, 2);
    }
    case 'all':
      return names;
  }
}

/** Hits the members that are meant, by what is done to each pod, and remembers them. */
export async function hit(
  scene: Scene,
  name: string,
  which: z.infer<typeof choice>,
  strike: (pod: string) => Promise<unknown>,
): Promise<void> {
  const subject = subjectOf(scene, name);
  const pods = await chooseMembers(scene, subject.cluster, which);
  for (const pod of pods.map(subject.cluster.pod)) subject.hit.set(pod.metadata.uid ?? '', restartsOf(pod));
  await Promise.all(pods.map(strike));
}

/** Waits until each member that was hit shows it: its process was started again, or its pod is gone. */
export async function untilHit(scene: Scene, name: string, limitMs: number): Promise<void> {
  const { cluster, hit } = subjectOf(scene, name);
  const showsIt = (pod: KubeObject) => restartsOf(pod) > (hit.get(pod.metadata.uid ?? '') ?? -1);
  await cluster.until('what was hit shows it', () => cluster.pods().every(showsIt), limitMs);
  hit.clear();
}

/** Waits until every cluster is as it was last asked to be, and nothing of one that was deleted is left. */
export async function settleAll(scene: Scene, limitMs: number): Promise<void> {
  await Promise.all([...scene.subjects.keys()].map((name) => settle(scene, name, limitMs)));
}

async function settle(scene: Scene, name: string, limitMs: number): Promise<void> {
  const subject = subjectOf(scene, name);
  const { cluster, size } = subject;
  if (size > 0) return cluster.settled(size, limitMs);
  const { stage } = scene;
  await cluster.until(
    'nothing it owned is left',
    async () => (await stage.list(ownedKinds, `etcd_cluster=${name}`)).length === 0,
    limitMs,
  );
  if (subject.held) await stage.kubectl('patch', 'etcd', name, '--type=merge', '-p', release);
  subject.held = false;
  await cluster.until('it is gone', () => scene.watched.resource(name) === undefined, limitMs);
}

const release = JSON.stringify({ metadata: { finalizers: null } });
