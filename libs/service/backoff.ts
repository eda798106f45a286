import { setTimeout as timer } from 'node:timers/promises';

/**
 * How long to wait before try number `attempt` (0 is the first retry): doubled each time up to the cap, of
 * which a random half is taken off so that many processes do not come back at once.
 */
export function backoffMs(
  attempt: number,
  range: { baseMs: number; capMs: number },
  random: () => number = Math.random,
): number {
  const fullMs = Math.min(range.capMs, range.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(fullMs * (1 - random() / 2));
}

/** Waits; returns early, without an error, when the signal is aborted. */
export async function wait(delayMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await timer(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Only the signal ends the wait early, and whoever waits looks at the signal anyway.
  }
}
