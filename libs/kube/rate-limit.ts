import { wait } from '../service/backoff.ts';

/** How many requests a second a client sends in the long run, and how many at once after it was quiet. */
export interface RateLimit {
  perSecond: number;
  burst: number;
}

/**
 * A token bucket, as client-go's QPS and burst: each call resolves when its request may be sent, in the order of the
 * calls, or early when the signal is aborted, and then its token goes to the next.
 */
export function createRateLimit(
  { perSecond, burst }: RateLimit,
  nowMs: () => number = () => performance.now(),
): (signal?: AbortSignal) => Promise<void> {
  const intervalMs = 1000 / perSecond;
  /** When the bucket is full again, if nobody asks until then. */
  let fullMs = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const now = nowMs();
    fullMs = Math.max(fullMs, now) + intervalMs;
    const delayMs = fullMs - burst * intervalMs - now;
    if (delayMs <= 0) return;
    await wait(delayMs, signal);
    if (signal?.aborted) fullMs -= intervalMs;
  };
}
