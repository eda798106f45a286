import type { ProgramPaths } from '../../../services/cli/toolchain/programs.ts';
import { type CaseResult, type Known, runCase } from './case.ts';
import { type Lane, startLane } from './lane.ts';
import type { Case } from './sweep.ts';

/** The lanes of a run, each started when it is first needed. */
export interface Lanes {
  /** Runs the cases, as many side by side as there are lanes; `told` hears of each as it ends. */
  run(cases: readonly Case[], told: (result: CaseResult) => void): Promise<CaseResult[]>;
  /** Which writes each scenario of a sweep has, by plan and scenario. */
  readonly writes: Map<string, Map<string, string[]>>;
  /** Ends all that runs, also in the middle of a case. */
  stop(): Promise<void>;
}

interface Slot {
  lane?: Promise<Lane> | undefined;
}

export function openLanes(programs: ProgramPaths, count: number, seed: number): Lanes {
  const slots: Slot[] = Array.from({ length: count }, () => ({}));
  const known = new Map<string, Known>();
  const writes: Lanes['writes'] = new Map();
  let stopped = false;

  const knownOf = (plan: string): Known => {
    const found = known.get(plan) ?? { undisturbed: new Map(), writes: new Map() };
    known.set(plan, found);
    writes.set(plan, found.writes);
    return found;
  };
  async function runOn(slot: Slot, each: Case): Promise<CaseResult> {
    slot.lane ??= startLane(programs);
    const lane = await slot.lane;
    const result = await runCase(each, lane, knownOf(each.plan), seed);
    if (result.failure === undefined) return result;
    // Whatever state it is in, no other case may suffer from it.
    const logs = await lane.stop('logs');
    slot.lane = undefined;
    return { ...result, failure: `${result.failure}\nlogs: ${logs}` };
  }

  return {
    async run(cases, told) {
      const results: CaseResult[] = [];
      const waiting = cases.values();
      const runWaiting = async (slot: Slot) => {
        for (const each of waiting) {
          if (stopped) return;
          const result = await runOn(slot, each);
          results.push(result);
          told(result);
        }
      };
      await Promise.all(slots.slice(0, cases.length).map(runWaiting));
      return results;
    },
    writes,
    async stop() {
      stopped = true;
      // One that is just being started as well; one that could not be has cleaned up and said so.
      const lanes = await Promise.allSettled(slots.map(({ lane }) => lane));
      await Promise.all(lanes.map((lane) => lane.status === 'fulfilled' && lane.value?.stop()));
    },
  };
}
