import type { Engine } from './contract.ts';
import type { Decision } from './decision.ts';
import { digest } from './digest.ts';
import { replay } from './replay.ts';

/**
 * A look takes the place of a pass of a cluster at rest. A plan follows from the spec, the facts and the time alone.
 * Whatever changes in Kubernetes is an event, which leads to a pass. So where time does not matter, only the members
 * can give a pass another result than the last one had, and they can be asked without the Kubernetes API.
 */

/** What has to be known for a look: plain JSON of some hundred bytes, which may be lost at any time. */
export interface Sight {
  /** By the member's name, where it answers and a digest of what it said. */
  members: Record<string, { address: string; said: string }>;
}

/** In milliseconds. Whatever a plan waits for is over by then. */
const muchLaterMs = 24 * 3_600_000;

/**
 * What this pass leaves for a look; `undefined` where the cluster is not at rest, and only another pass will do. A pass
 * that anything woke leaves nothing: once nothing has happened for a while, one by the clock confirms what it saw. Pure.
 */
export function sightOf(engine: Engine, decision: Decision): Sight | undefined {
  const { plan, error, approval, facts, nowMs, wokenBy } = decision;
  if (wokenBy.length > 0) return undefined;
  if (!engine.look || !plan || plan.steps.length > 0 || error || approval) return undefined;
  const later = replay(engine, { ...decision, nowMs: nowMs + muchLaterMs });
  const answers = later.outcome === 'equal' ? engine.look.answers(facts) : undefined;
  if (answers === undefined) return undefined;
  const members = Object.entries(answers).map(
    ([name, { address, answer }]) => [name, { address, said: digest(answer) }] as const,
  );
  return { members: Object.fromEntries(members) };
}

/**
 * Asks all members, at once. Returns the names, sorted, of those that do not answer as they did. Throws the reason where the
 * signal was aborted.
 */
export async function changedSince(engine: Engine, sight: Sight, signal: AbortSignal): Promise<string[]> {
  const { look } = engine;
  const changed = Object.entries(sight.members).map(async ([name, { address, said }]) => {
    try {
      return look && digest(await look.ask(address, signal)) === said ? [] : [name];
    } catch {
      // Why it does not answer is for the pass to find out, which records it.
      return [name];
    }
  });
  const names = (await Promise.all(changed)).flat().sort();
  signal.throwIfAborted();
  return names;
}
