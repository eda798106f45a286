import { z } from 'zod';
import { choice, hit } from '../run/members.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

const signals = { kill: 'SIGKILL', freeze: 'SIGSTOP' } as const;

/** Kills the processes of members or freezes them; the kubelet starts either again, the frozen when its probe fails. */
export const hitMembers = action(
  z.strictObject({
    name: z.string().default(onlyCluster),
    which: choice,
    do: z.enum(['kill', 'freeze']),
  }),
  async (scene, given) => {
    const { cluster } = subjectOf(scene, given.name);
    await hit(scene, given.name, given.which, (pod) => cluster.signal(pod, signals[given.do]));
  },
);
