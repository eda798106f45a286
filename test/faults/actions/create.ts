import { z } from 'zod';
import { adoptCluster, specOf } from '../../e2e/cluster.ts';
import { etcdCluster } from '../../e2e/stage.ts';
import { onlyCluster } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Asks for a new cluster; a writer begins to write to it at once. */
export const create = action(
  z.strictObject({
    name: z.string().default(onlyCluster),
    size: z.int().min(1).max(7).default(3),
    claims: z.boolean().default(false),
  }),
  async (scene, { name, size, claims }) => {
    const owner = { after: (end: () => Promise<void>) => scene.afterwards(end) };
    const cluster = adoptCluster(scene, owner, name, { claims });
    scene.subjects.set(name, { cluster, claims, size, hit: new Map() });
    await scene.stage.apply(etcdCluster(name, specOf({ size, claims })));
  },
);
