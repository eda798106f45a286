import { messageOf } from '../errors/catalogue.ts';
import type { Plan } from './contract.ts';
import { decide, type Planner } from './decide.ts';
import type { Decision } from './decision.ts';
import { type Difference, differencesOf } from './difference.ts';

/** What became of one record: planned again from its own facts, it is the same, or not. */
export type Replayed =
  | { outcome: 'equal' }
  | { outcome: 'different'; differences: Difference[] }
  /** The pass ended before anything could be decided, so there is nothing to compare. */
  | { outcome: 'undecided' };

/**
 * Plans once more from what a pass saw, as the version of the engine that recorded it, and compares with what was
 * recorded. Pure: nothing is read and nothing is touched, whatever the record says.
 */
export function replay(planner: Planner, decision: Decision): Replayed {
  const { spec, facts, nowMs, engine, resource, plan: recorded } = decision;
  if (recorded === undefined && !hasFailedToPlan(decision)) return { outcome: 'undecided' };
  let replayed: Plan;
  try {
    const given = {
      spec: resource === undefined ? undefined : spec,
      deleting: resource?.deleting === true,
      leftAlone: resource?.leftAlone,
      facts,
      nowMs,
      version: engine.version,
    };
    // As JSON keeps it, like the recorded one.
    replayed = JSON.parse(JSON.stringify(decide(planner, given).plan)) as Plan;
  } catch (thrown) {
    const failed = `no plan: ${messageOf(thrown)}`;
    return compared(recorded?.reason ?? `no plan: ${decision.error?.message}`, failed);
  }
  if (recorded === undefined) return compared(`no plan: ${decision.error?.message}`, replayed.reason);
  const differences = differencesOf(recorded as Plan, replayed);
  return differences.length === 0 ? { outcome: 'equal' } : { outcome: 'different', differences };
}

/** What was recorded without a plan although there were facts: the plan itself threw. */
const hasFailedToPlan = ({ facts, spec, resource, error }: Decision): boolean =>
  facts !== null && error?.code !== 'TASK_LOST' && (resource === undefined || spec !== null);

const compared = (recorded: string, replayed: string): Replayed =>
  recorded === replayed
    ? { outcome: 'equal' }
    : { outcome: 'different', differences: [{ part: 'situation', recorded, replayed }] };
