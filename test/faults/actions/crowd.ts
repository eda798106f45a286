import { z } from 'zod';
import { specOf } from '../../e2e/cluster.ts';
import { etcdCluster, statusOf } from '../../e2e/stage.ts';
import { until } from '../../wait.ts';
import type { Scene } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

/**
 * Many clusters at once, as many as one machine cannot run: they are paused, so each change goes all the way from the
 * API over events, tasks and passes to the status, but for the members.
 */
const count = z.int().min(1).max(500).default(50);
const nameOf = (index: number): string => `crowd-${index + 1}`;

/** Asks for so many clusters, or when they are there, changes each of them; a label alone changes nothing of the spec. */
export const crowd = action(
  z.strictObject({ count, size: z.int().min(1).max(7), label: z.string().optional() }),
  async (scene, { count, size, label }) => {
    const items = Array.from({ length: count }, (_, index) => {
      const name = nameOf(index);
      const metadata = { name, ...(label !== undefined && { labels: { crowd: label } }) };
      return { ...etcdCluster(name, { ...specOf({ size }), paused: true }), metadata };
    });
    await scene.stage.apply({ apiVersion: 'v1', kind: 'List', items });
  },
);

/** Waits until the status of each is about what was last asked of it. */
export const crowdSettles = action(
  z.strictObject({ count, size: z.int().min(1).max(7), withinMs: z.int().min(1000).default(30_000) }),
  async (scene, given) => {
    const startedMs = performance.now();
    const late = () =>
      Array.from({ length: given.count }, (_, index) => nameOf(index)).filter(
        (name) => !isDone(scene, name, given.size),
      );
    await until(`the crowd settles`, () => late().length === 0, given.withinMs).catch((error: unknown) => {
      throw new Error(`${late().length} of ${given.count} are late: ${late().slice(0, 5).join(', ')}`, {
        cause: error,
      });
    });
    scene.remark(
      `${given.count} changed clusters had their status after ${Math.round(performance.now() - startedMs)} ms`,
    );
  },
);

function isDone({ watched }: Scene, name: string, size: number): boolean {
  const resource = watched.resource(name);
  if (!resource) return false;
  const status = statusOf(resource);
  const isAsked = (resource['spec'] as { size?: number }).size === size;
  return (
    isAsked && status.observedGeneration === resource.metadata.generation && status['controlPaused'] === true
  );
}
