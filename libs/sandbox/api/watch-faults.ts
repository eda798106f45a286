import type { WatchFault } from '../faults.ts';

/** How long a change is held back for the next one to overtake it, in milliseconds. */
const overtakingMs = 1000;

/**
 * Passes on what a watch tells, as the fault that is in force at that moment has it: events get lost, come twice, come
 * late, or overtake each other. `close` lets go of what is held back.
 */
export function disturbed<Change>(
  fault: () => WatchFault | undefined,
  forward: (change: Change) => void,
): { tell(change: Change): void; close(): void } {
  let held: { change: Change; timer: NodeJS.Timeout } | undefined;
  const late = new Set<NodeJS.Timeout>();
  const release = () => {
    const { change, timer } = held ?? {};
    held = undefined;
    clearTimeout(timer);
    if (change !== undefined) forward(change);
  };
  return {
    tell(change) {
      const { events, delayMs } = fault() ?? {};
      if (events === 'dropped') return;
      if (delayMs !== undefined) {
        const timer = setTimeout(() => {
          late.delete(timer);
          forward(change);
        }, delayMs);
        late.add(timer);
        return;
      }
      if (events === 'reordered' && held === undefined) {
        held = { change, timer: setTimeout(release, overtakingMs) };
        return;
      }
      forward(change);
      if (events === 'doubled') forward(change);
      release();
    },
    close() {
      clearTimeout(held?.timer);
      for (const timer of late) clearTimeout(timer);
    },
  };
}
