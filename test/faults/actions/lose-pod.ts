import { z } from 'zod';
import { choice, chooseMembers } from '../run/members.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Deletes the pods of members behind the back of Quorate, on request with their claims, and waits until they go. */
export const losePod = action(
  z.strictObject({
    name: z.string().default(onlyCluster),
    which: choice,
    claim: z.boolean().default(false),
    force: z.boolean().default(false),
  }),
  async (scene, { name, which, claim, force }) => {
    const { cluster } = subjectOf(scene, name);
    const pods = await chooseMembers(scene, cluster, which);
    const now = force ? ['--force', '--grace-period=0'] : [];
    const uids = pods.map((pod) => cluster.pod(pod).metadata.uid);
    if (claim) await scene.stage.kubectl('delete', 'persistentvolumeclaim', ...pods, '--wait=false');
    await scene.stage.kubectl('delete', 'pod', ...pods, '--wait=false', ...now);
    await cluster.until(`${pods.join(', ')} go`, () =>
      cluster
        .pods()
        .every(({ metadata }) => !uids.includes(metadata.uid) || metadata.deletionTimestamp !== undefined),
    );
  },
);
