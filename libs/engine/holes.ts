import type { Decision } from './decision.ts';

/** Records that were made and are not there. */
export interface Hole {
  key: string;
  worker: string;
  missing: number;
  /** The record before the hole, of this worker about this cluster; `undefined` where its process began in it. */
  after: string | undefined;
  /** The record after it. */
  before: string;
  /** When the pass after it began. */
  time: string;
}

/**
 * Where records are missing, by the numbers that each process of a worker gives to those about one cluster. In the
 * order of the records. What is missing before the first record of a worker is no hole: it may be older than what
 * was asked for, or than what is kept.
 */
export function holesIn(decisions: Decision[]): Hole[] {
  const lasts = new Map<string, Decision & { sequence: number }>();
  return decisions.flatMap((decision): Hole[] => {
    const { key, worker, id, time, sequence } = decision;
    if (sequence === undefined) return [];
    const line = `${worker} ${key}`;
    const last = lasts.get(line);
    lasts.set(line, { ...decision, sequence });
    if (last === undefined) return [];
    // A number that is not higher is one of a new process, which begins at 1.
    const isSameProcess = sequence > last.sequence;
    const missing = sequence - 1 - (isSameProcess ? last.sequence : 0);
    return missing === 0
      ? []
      : [{ key, worker, missing, after: isSameProcess ? last.id : undefined, before: id, time }];
  });
}
