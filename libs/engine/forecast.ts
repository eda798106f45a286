import type { Blocked, ClusterStatus, Engine, Margin, Step } from './contract.ts';
import { subjectOf } from './subject.ts';

/** What the plans of an engine would do from here on to the end, if nothing came in between. */
export interface Forecast {
  /** In the facts, before anything is done. */
  margin: Margin | undefined;
  steps: ForecastStep[];
  /** `unfinished`: it was not at rest when the bound was reached. */
  end: 'rests' | 'blocked' | 'unfinished';
  /** The last plan, in which it rests, is blocked or was left. */
  reason: string;
  message: string;
  status: ClusterStatus | undefined;
  blocked: Blocked | undefined;
  marginAtEnd: Margin | undefined;
  /** How long it took in the simulation, in which everything is quick: no forecast of real times. */
  simulatedMs: number;
}

export interface ForecastStep {
  /** The pass that does it, counted from 1, and the situation it found. */
  pass: number;
  reason: string;
  step: string;
  /** The name of the object or member that it is about, where it is about one. */
  subject: string | undefined;
  why: string;
  disruptive: boolean;
  /** The narrowest from this step until the next one. */
  margin: Margin | undefined;
}

/** After so long without a step, nothing more is expected to happen; longer than any patience of a plan. */
const restMs = 60_000;
/** What has not come to rest by then never will; a worker, too, can afford to see so far ahead. */
const longestMs = 20 * 60_000;

/**
 * Simulates forward: plan, act, let time pass, plan again, until nothing is done any more. Pure. Steps are those that
 * change something: one that finds nothing to do yet, e.g. a promotion too early, is tried again as in real passes.
 * `undefined` where the engine cannot simulate, or where the facts could not be read.
 */
export function forecast<Spec, Facts>(
  engine: Pick<Engine<Spec, Facts>, 'plan' | 'margin' | 'simulate'>,
  spec: Spec | undefined,
  facts: Facts,
  nowMs: number,
): Forecast | undefined {
  const simulation = engine.simulate?.(spec, facts, nowMs);
  if (!simulation) return undefined;
  const marginNow = () => engine.margin?.(simulation.facts());
  const margin = marginNow();
  const steps: ForecastStep[] = [];
  const noteMargin = () => {
    const last = steps.at(-1);
    if (last) last.margin = narrower(last.margin, marginNow());
  };
  let lastStepMs = simulation.nowMs();
  for (let pass = 1; ; pass++) {
    const plan = engine.plan(spec, simulation.facts(), simulation.nowMs());
    for (const step of plan.steps) {
      const outcome = simulation.act(step);
      if (outcome === 'done') {
        steps.push({ pass, reason: plan.reason, ...described(step), margin: marginNow() });
        lastStepMs = simulation.nowMs();
      }
      if (outcome === 'moved' || outcome === 'failed') break;
    }
    const simulatedMs = simulation.nowMs() - nowMs;
    const isAtRest = simulation.nowMs() - lastStepMs >= restMs;
    if (isAtRest || simulatedMs > longestMs) {
      const { reason, message, status, blocked } = plan;
      const end = !isAtRest ? 'unfinished' : blocked ? 'blocked' : 'rests';
      const last = { reason, message, status, blocked, marginAtEnd: marginNow() };
      return { margin, steps, end, ...last, simulatedMs: lastStepMs - nowMs };
    }
    simulation.tick();
    noteMargin();
  }
}

function described({ step, why, args, disruptive }: Step) {
  return { step, subject: subjectOf(args), why, disruptive: disruptive === true };
}

/** How many more members may be lost before it serves no more; below 0 it does not serve. */
export const spareOf = ({ serving, needed }: Margin): number => serving - needed;

function narrower(before: Margin | undefined, now: Margin | undefined): Margin | undefined {
  if (before === undefined || now === undefined) return before ?? now;
  const difference = spareOf(now) - spareOf(before) || now.serving - before.serving;
  return difference < 0 ? now : before;
}
