import { z } from 'zod';
import { choice, hit } from '../run/members.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** What the claims of members held is gone, and their processes end. The claims stay. */
export const loseDisk = action(
  z.strictObject({ name: z.string().default(onlyCluster), which: choice }),
  async (scene, { name, which }) => {
    const { stage } = scene;
    const { cluster } = subjectOf(scene, name);
    await hit(scene, name, which, async (pod) => {
      const path = `/sandbox/claims/${stage.namespace}/${pod}/empty`;
      await stage.kubectl('create', '--raw', path, '-f', '/dev/null');
      await cluster.signal(pod, 'SIGKILL');
    });
  },
);
