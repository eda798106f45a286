/** Watches over the lock of one run and says when it can no longer be trusted. */
export interface LockWatch {
  readonly signal: AbortSignal;
  /** The lock was renewed by a request that was sent at this time of `performance.now()`. */
  renewed(sentAtMs: number): void;
  /** The lock is known to be lost, or the run is no longer wanted. */
  abort(reason: string): void;
  /** Throws the reason when the lock cannot be trusted right now, even where a timer is late. */
  check(): void;
  /** Ends the watch. */
  stop(): void;
}

/**
 * Aborts when the lock has not been renewed for three quarters of its duration. Redis lets go of it after the
 * whole, counted from no earlier than `takenAtMs`, and only then may another worker begin: the last quarter is
 * what the aborted run has to stop what it is doing.
 */
export function watchLock(durationMs: number, takenAtMs: number): LockWatch {
  const controller = new AbortController();
  const trustedMs = 0.75 * durationMs;
  let sinceMs = takenAtMs;
  let timer: NodeJS.Timeout;
  const abort = (reason: string) => {
    clearTimeout(timer);
    controller.abort(new Error(reason));
  };
  const look = () => {
    const remainingMs = sinceMs + trustedMs - performance.now();
    if (remainingMs <= 0) abort('the lock was not renewed in time');
    else timer = setTimeout(look, Math.ceil(remainingMs));
  };
  timer = setTimeout(look, trustedMs);
  return {
    signal: controller.signal,
    renewed(sentAtMs) {
      sinceMs = sentAtMs;
    },
    abort,
    check() {
      if (performance.now() - sinceMs >= trustedMs) abort('the lock was not renewed in time');
      controller.signal.throwIfAborted();
    },
    stop: () => clearTimeout(timer),
  };
}
