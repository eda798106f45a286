import { z } from 'zod';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Asks for another size. */
export const scale = action(
  z.strictObject({ name: z.string().default(onlyCluster), size: z.int().min(1).max(7) }),
  async (scene, { name, size }) => {
    subjectOf(scene, name).size = size;
    await scene.stage.kubectl('scale', 'etcdcluster', name, `--replicas=${size}`);
  },
);
