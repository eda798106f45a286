import type { Decision } from '../../../libs/engine/decision.ts';
import { type Replayed, replay } from '../../../libs/engine/replay.ts';
import { plannerOf } from '../../../libs/engines/planners.ts';
import { QuorateError } from '../../../libs/errors/catalogue.ts';

export interface Result {
  decision: Decision;
  replayed: Replayed;
  /** The version of the engine in the code at hand. */
  presentVersion: number;
}

/** Replays every record. Throws RECORDING_REFUSED where one is of an engine that this version does not know. */
export function replayAll(decisions: readonly Decision[], planners = plannerOf): Result[] {
  return decisions.map((decision) => {
    const planner = planners(decision.engine.name);
    if (planner === undefined)
      throw new QuorateError('RECORDING_REFUSED', `it needs the engine ${decision.engine.name}`);
    return { decision, replayed: replay(planner, decision), presentVersion: planner.version };
  });
}

/** The one of that id, or of an id that begins so; or else the last that began no later than that time. */
export function findAt(results: readonly Result[], at: string): Result | undefined {
  const byId = results.filter(({ decision }) => decision.id.startsWith(at));
  if (byId.length > 0) return byId.length === 1 ? byId[0] : undefined;
  const atMs = Date.parse(at);
  return results.findLast(({ decision }) => Date.parse(decision.time) <= atMs);
}
