import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Decision } from './decision.ts';

/**
 * Passes that found and decided the very same as the one before, and did nothing: told by a count instead of by a
 * record each, so that a cluster at rest costs next to nothing. The facts are in the record that is repeated.
 */
export const repeatSchema = z
  .object({
    format: z.literal(1).describe('The format of this message.'),
    kube: z.string().describe('The id of the Kubernetes cluster under management.'),
    key: z.string().describe('The database cluster: `<engine>/<namespace>/<name>`.'),
    worker: z.string().describe('The instance of the worker that ran the passes.'),
    decision: z.string().describe('The id of the decision record that they repeat.'),
    count: z.int().min(1).describe('How many passes have repeated it.'),
    firstTime: z.string().describe('When the first of them began, ISO 8601 in UTC.'),
    lastTime: z.string().describe('When the last of them began, ISO 8601 in UTC.'),
  })
  .describe('How often the last decision of a worker about a cluster was found again.');

export type Repeat = z.infer<typeof repeatSchema>;

/** A record at least this often, so that a repeat never outlives the record that it stands on. */
const longestMs = 24 * 3_600_000;

/**
 * Of so many clusters, those that had a pass last, the last record is remembered, in some 6 MB: a worker must not grow
 * with all the clusters that there ever were. One that is forgotten is recorded whole the next time.
 */
const mostRemembered = 10_000;

/** What a worker remembers of its last record about a cluster: a cache, and nothing is wrong when it is lost. */
interface Last {
  decision: string;
  time: string;
  digest: string;
  sequence: number;
  repeat: Repeat | undefined;
}

/** Decides for each pass whether it is recorded whole, with its number, or as one more repeat of the last record. */
export interface Recorder {
  next(decision: Decision): { decision: Decision } | { repeat: Repeat };
  /** The next pass is recorded whole: of this cluster, or of all, whose last records may be lost. */
  forget(key?: string): void;
}

export function createRecorder(most = mostRemembered): Recorder {
  /** The one that was touched longest ago comes first. */
  const lasts = new Map<string, Last>();
  const remember = (key: string, last: Last): void => {
    lasts.delete(key);
    lasts.set(key, last);
    const [oldest] = lasts.keys();
    if (lasts.size > most && oldest !== undefined) lasts.delete(oldest);
  };
  return {
    next(decision) {
      const { id, kube, key, worker, time } = decision;
      const last = lasts.get(key);
      const digest = digestOf(decision);
      const isRecent = last !== undefined && Date.parse(time) - Date.parse(last.time) < longestMs;
      if (isRecent && last.digest === digest && isQuiet(decision)) {
        const count = (last.repeat?.count ?? 0) + 1;
        const firstTime = last.repeat?.firstTime ?? time;
        last.repeat = {
          format: 1,
          kube,
          key,
          worker,
          decision: last.decision,
          count,
          firstTime,
          lastTime: time,
        };
        remember(key, last);
        return { repeat: last.repeat };
      }
      const sequence = (last?.sequence ?? 0) + 1;
      remember(key, { decision: id, time, digest, sequence, repeat: undefined });
      return { decision: { ...decision, sequence } };
    },
    forget(key) {
      const forgotten = key === undefined ? [...lasts.values()] : [lasts.get(key)];
      for (const last of forgotten) if (last) last.digest = '';
    },
  };
}

/** Nobody waits to see it in a record: no event woke it, nothing was done, nothing failed. */
function isQuiet({ wokenBy, steps, error }: Decision): boolean {
  return steps.length === 0 && error === undefined && wokenBy.every((id) => id.startsWith('resync/'));
}

/** What was seen and decided, but for when and how fast. */
function digestOf({ engine, resource, spec, facts, plan, approval }: Decision): string {
  return createHash('sha256')
    .update(JSON.stringify([engine, resource, spec, facts, plan, approval]))
    .digest('base64');
}
