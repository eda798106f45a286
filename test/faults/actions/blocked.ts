import { z } from 'zod';
import { conditionOf } from '../../e2e/stage.ts';
import { onlyCluster, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/** Waits until the resource says that it is blocked, for this reason and with these words. */
export const blocked = action(
  z.strictObject({ name: z.string().default(onlyCluster), reason: z.string(), naming: z.string() }),
  async (scene, { name, reason, naming }) => {
    const isTold = () => {
      const condition = conditionOf(scene.watched.resource(name), 'Blocked');
      return (
        condition?.status === 'True' && condition.reason === reason && condition.message.includes(naming)
      );
    };
    await subjectOf(scene, name).cluster.until(`it says ${reason}`, isTold);
  },
);
