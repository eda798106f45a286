import { z } from 'zod';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/**
 * Deletes the cluster's resource. What its writer has written is read once more just before. Where it is `held`, a
 * finalizer keeps the resource until all else is gone: the garbage collector waits for that, so what goes is deleted by
 * a worker and by nobody else.
 */
export const deleteCluster = action(
  z.strictObject({ name: z.string().default(onlyCluster), held: z.boolean().default(false) }),
  async (scene, { name, held }) => {
    const subject = subjectOf(scene, name);
    await subject.cluster.finish();
    if (held) await scene.stage.kubectl('patch', 'etcd', name, '--type=merge', '-p', hold);
    subject.size = 0;
    subject.held = held;
    await scene.stage.kubectl('delete', 'etcdcluster', name, '--wait=false');
  },
);

const hold = JSON.stringify({ metadata: { finalizers: ['example.com/held'] } });
