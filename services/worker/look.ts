import { z } from 'zod';
import type { Engine } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { changedSince, type Sight, sightOf } from '../../libs/engine/look.ts';
import type { Ending, Task } from '../../libs/queue/run.ts';
import { version } from '../../libs/service/version.ts';

/** What a run leaves for the next one about a cluster at rest. */
const noteSchema = z.object({
  /** Another release may see more, or decide otherwise: what one has seen at rest, the next gives a pass. */
  by: z.string(),
  sight: z.object({
    members: z.record(z.string(), z.object({ address: z.string(), said: z.string() })),
  }) satisfies z.ZodType<Sight>,
  everyMs: z.number(),
  /** When it is time for a pass, whatever a look would find. */
  passAtMs: z.number(),
});

type Note = z.infer<typeof noteSchema>;

const byline = ({ name, version: engineVersion }: Engine): string => `${version} ${name} ${engineVersion}`;

/** However seldom a plan wants to be made again, members are looked at this often, in milliseconds. */
const longestMs = 10_000;

/** Looks at clusters at rest, which take the place of passes and cost no request to the Kubernetes API. */
export interface Looks {
  /**
   * Where the task is due for nothing but a look: looks, and returns how the run ends if all is as it was, or the
   * members that have changed. `undefined` where a pass is due without a look.
   */
  look(engine: Engine, task: Task, signal: AbortSignal): Promise<Ending | { changed: string[] } | undefined>;
  /** How a run ends that has made this pass. */
  after(engine: Engine, decision: Decision): Ending;
}

/** `periodMs`: the longest time between two passes of a cluster at rest. `count` is told of every look. */
export function createLooks(options: {
  periodMs: number;
  count: (engine: string, outcome: 'same' | 'changed') => void;
  now?: () => number;
  random?: () => number;
}): Looks {
  const { periodMs, count, now = Date.now, random = Math.random } = options;
  const endingOf = (note: Note): Ending => ({
    requeueAfterMs: Math.max(0, Math.min(note.everyMs, note.passAtMs - now())),
    note,
  });
  return {
    async look(engine, task, signal) {
      const { data: note } = noteSchema.safeParse(task.note);
      if (note?.by !== byline(engine)) return undefined;
      const leftMs = note.passAtMs - now();
      // More is left where a clock was set back, or the period is shorter than it was.
      if (leftMs <= 0 || leftMs > periodMs) return undefined;
      const changed = await changedSince(engine, note.sight, signal);
      count(engine.name, changed.length === 0 ? 'same' : 'changed');
      return changed.length === 0 ? endingOf(note) : { changed };
    },
    after(engine, decision) {
      const { requeueAfterMs } = decision.plan ?? {};
      if (requeueAfterMs === undefined) return {};
      const sight = sightOf(engine, decision);
      if (sight === undefined) return { requeueAfterMs };
      // Clusters that were all woken at once drift apart by this.
      const passAtMs = now() + periodMs * (0.75 + random() / 4);
      return endingOf({ by: byline(engine), sight, everyMs: Math.min(requeueAfterMs, longestMs), passAtMs });
    },
  };
}
