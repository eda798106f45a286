import { describeError, messageOf, QuorateError } from '../errors/catalogue.ts';
import type { ActContext, Engine, Step } from './contract.ts';
import type { Decision, StepRecord } from './decision.ts';
import type { Secrets } from './secrets.ts';

/**
 * Runs the steps in order and stops at the first whose precondition no longer holds, or which fails: what comes
 * after it was planned for a world that is no more. The rest is recorded as skipped. Nowhere but here are secrets put back into what a step is given.
 */
export async function act(
  engine: Engine,
  steps: Step[],
  { reveal, ...context }: ActContext & Pick<Secrets, 'reveal'>,
  now: () => number,
): Promise<{ records: StepRecord[]; error?: NonNullable<Decision['error']> }> {
  const records: StepRecord[] = [];
  let error: Decision['error'];
  let stopped = false;
  for (const { step, why, args } of steps) {
    if (stopped) {
      records.push({ step, why, outcome: 'skipped', durationMs: 0 });
      continue;
    }
    const startedMs = now();
    try {
      checkHeld(context.signal);
      const action = engine.steps[step];
      if (!action) throw new Error(`engine ${engine.name} has no step ${step}`);
      const result = await action(reveal(args), context);
      records.push({ step, why, ...result, durationMs: now() - startedMs });
      stopped = result.outcome === 'moved';
    } catch (thrown) {
      error = describeFailure(thrown, context.signal);
      records.push({ step, why, outcome: 'failed', detail: error.message, durationMs: now() - startedMs });
      stopped = true;
    }
  }
  return { records, ...(error && { error }) };
}

/** Throws TASK_LOST when another worker may have the task by now. */
export function checkHeld(signal: AbortSignal): void {
  if (signal.aborted) throw new QuorateError('TASK_LOST', messageOf(signal.reason), {}, signal.reason);
}

/** What ended a pass or a step. Whatever is thrown after the task was lost is thrown because of that. */
export function describeFailure(error: unknown, signal: AbortSignal): NonNullable<Decision['error']> {
  try {
    checkHeld(signal);
  } catch (lost) {
    return describeError(lost);
  }
  return describeError(error);
}
