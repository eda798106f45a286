/**
 * When a container that ended may start again. The shape is the kubelet's (at once the first time, then 10 s
 * doubling to 5 minutes, forgotten after twice the longest pause of good running), at a tenth of its times: nobody
 * waits minutes for a sandbox.
 */
export const restartBackoff = { firstMs: 1_000, longestMs: 30_000 };

export class Backoff {
  #nextMs = 0;

  /** The pause before the next start, given how long the last run held. */
  next(ranMs: number): number {
    if (ranMs >= 2 * restartBackoff.longestMs) this.#nextMs = 0;
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(restartBackoff.longestMs, Math.max(restartBackoff.firstMs, pauseMs * 2));
    return pauseMs;
  }
}
