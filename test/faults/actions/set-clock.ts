import { z } from 'zod';
import { clientPort } from '../../../libs/engines/etcd/names.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { processOf } from '../../e2e/bench/node.ts';
import { setProcessClock } from '../run/clock.ts';
import { choice, chooseMembers } from '../run/members.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/**
 * Sets the clocks of members to so much after the right time, or before where negative, until their processes end, and
 * waits until they answer by it. Only the sandbox's members are processes of this machine.
 */
export const setClock = action(
  z.strictObject({
    name: z.string().default(onlyCluster),
    which: choice,
    skewMs: z.int().multipleOf(1000),
  }),
  async (scene, { name, which, skewMs }) => {
    const { cluster } = subjectOf(scene, name);
    const set = async (pod: string) => {
      await setProcessClock(processOf(cluster.pod(pod)), skewMs / 1000);
      const isSet = async () => Math.abs((await skewOf(cluster.pod(pod))) - skewMs) <= 2000;
      await cluster.until(`the clock of ${pod} is off by ${skewMs} ms`, isSet, 20_000);
    };
    await Promise.all((await chooseMembers(scene, cluster, which)).map(set));
  },
);

/** How far a member's clock is ahead of ours, to the second: `Date` is when an answer was sent (RFC 9110, 6.6.1). */
async function skewOf(pod: KubeObject): Promise<number> {
  const { podIP } = pod['status'] as { podIP?: string };
  const answer = await fetch(`http://${podIP}:${clientPort}/version`);
  await answer.text();
  return Date.parse(answer.headers.get('date') ?? '') - Date.now();
}
