import { z } from 'zod';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Deletes the cluster's resource. What its writer has written is read once more just before. */
export const deleteCluster = action(
  z.strictObject({ name: z.string().default(onlyCluster) }),
  async (scene, { name }) => {
    const subject = subjectOf(scene, name);
    await subject.cluster.finish();
    subject.size = 0;
    await scene.stage.kubectl('delete', 'etcdcluster', name, '--wait=false');
  },
);
