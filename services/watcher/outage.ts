import type { Outage } from '../../libs/service/outage.ts';

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
