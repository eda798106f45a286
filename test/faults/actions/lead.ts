import { z } from 'zod';
import { connectEtcd } from '../../../libs/engines/etcd/client/client.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Hands the leadership to the oldest member, so that which members go does not depend on an election. */
export const lead = action(
  z.strictObject({ name: z.string().default(onlyCluster) }),
  async (scene, { name }) => {
    const { cluster } = subjectOf(scene, name);
    const oldest = cluster.pods()[0]?.metadata.name ?? '';
    const ids = await cluster.ids();
    await cluster.until(`${oldest} leads`, async () => {
      const { leader } = await cluster.roles();
      if (leader === oldest) return true;
      const { podIP } = cluster.pod(leader)['status'] as { podIP: string };
      const client = connectEtcd(`${podIP}:2379`);
      try {
        await client.moveLeader(ids[oldest] ?? '');
      } catch {
        // Another may lead by now: asked again.
      } finally {
        client.close();
      }
      return false;
    });
  },
);
