import { shownUrl } from './access.ts';
import type { Log } from './log.ts';

/** Turns the many errors of one outage into one line at its start and one at its end. */
export interface Outage {
  readonly active: boolean;
  /** Something failed. Only the first call of an outage is logged. */
  begin(reason: string): void;
  /** It works. Only logged after a `begin`. */
  end(): void;
}

/** An outage of `server`, e.g. `NATS`, at `url`. */
export function createOutage(log: Log, server: string, url: string): Outage {
  let sinceMs: number | undefined;
  const address = shownUrl(url);
  return {
    get active() {
      return sinceMs !== undefined;
    },
    begin(reason) {
      if (sinceMs !== undefined) return;
      sinceMs = performance.now();
      log.warn({ url: address, reason }, `${server} is not reachable; trying again until it is`);
    },
    end() {
      if (sinceMs === undefined) return;
      const outageMs = Math.round(performance.now() - sinceMs);
      sinceMs = undefined;
      log.info({ url: address, outageMs }, `${server} is reachable again`);
    },
  };
}

/**
 * Makes one outage of what several notice for themselves: it begins with the first of them and ends when all
 * have recovered. Each calls the function returned once, for its own view.
 */
export function shareOutage(outage: Outage): () => Outage {
  const affected = new Set<Outage>();
  return () => {
    const own: Outage = {
      get active() {
        return affected.has(own);
      },
      begin(reason) {
        affected.add(own);
        outage.begin(reason);
      },
      end() {
        if (affected.delete(own) && affected.size === 0) outage.end();
      },
    };
    return own;
  };
}
