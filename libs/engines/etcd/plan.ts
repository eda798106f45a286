import type { Blocked, Plan } from '../../engine/contract.ts';
import { behaviourOf, completeFacts, version } from './behaviour.ts';
import { degraded } from './causes.ts';
import type { EtcdFacts } from './facts.ts';
import type { EtcdSpec } from './resource.ts';
import { birth } from './situations/birth.ts';
import { goneDecision } from './situations/death.ts';
import { members } from './situations/members.ts';
import { noQuorum } from './situations/no-quorum.ts';
import { size } from './situations/size.ts';
import { versionFirst } from './situations/upgrade.ts';
import { withStanding } from './standing.ts';
import { statusOf } from './status.ts';
import { type Decided, type Situation, type World, worldOf } from './world.ts';

/**
 * Decides what to do for an etcd cluster. Pure: the same spec, facts and time give the same plan. The world is
 * classified as the first situation, in the order below, that applies; each decides a few steps, of which at
 * most one is disruptive. `asVersion` is the version of the engine to decide as, see behaviour.ts.
 */
export function plan(
  spec: EtcdSpec | undefined,
  recorded: EtcdFacts,
  nowMs: number,
  asVersion = version,
): Plan {
  const facts = completeFacts(recorded, asVersion);
  const unread = [facts.pods, facts.claims, facts.services, facts.budgets].flatMap((answer) =>
    answer.ok ? [] : [answer.error],
  );
  if (unread.length > 0) {
    return {
      reason: 'Unreadable',
      message: `could not read: ${unread.join('; ')}`,
      steps: [],
      status: undefined,
      requeueAfterMs: 1000,
      ...(unread.some(isForbidden) && { blocked: rightsRule(unread.filter(isForbidden)) }),
    };
  }
  if (facts.resource === null || facts.resource.deleting) {
    return complete('Deleted', goneDecision(facts), undefined);
  }
  // A cluster is deleted because its resource is, never because its spec is missing.
  if (spec === undefined) throw new Error('the resource exists, but there is no spec to plan for');
  const behaves = behaviourOf(asVersion);
  const world = worldOf(spec, facts, facts.resource, nowMs, behaves);
  const [reason, decided] = classify(world);
  if (!behaves('degraded')) return complete(reason, decided, statusOf(world, reason, decided));
  const { condition, requeueAfterMs = Number.POSITIVE_INFINITY } = degraded(world);
  const soon = Math.min(decided.requeueAfterMs ?? Number.POSITIVE_INFINITY, requeueAfterMs);
  const due = Number.isFinite(soon) ? { ...decided, requeueAfterMs: soon } : decided;
  return complete(reason, due, statusOf(world, reason, decided, condition));
}

/** In the API server's words; what else keeps it from being read passes, and nobody can be told meanwhile. */
const isForbidden = (error: string): boolean => /is forbidden: User "/.test(error);

const rightsRule = (evidence: string[]): Blocked => ({
  rule: 'nothing is done to a cluster of which a part may not be read',
  evidence: evidence.join('; '),
  action: "give the worker the rights that this version's chart gives it",
});

function classify(world: World): [string, Decided] {
  const early = first(birth, world);
  if (early) return early;
  const quorate = world.membership && { ...world, membership: world.membership };
  const found = quorate
    ? first([...versionsOf(world), ...members, ...size], quorate)
    : first(noQuorum, world);
  if (!found) throw new Error('the last situation of a list applies always');
  const [reason, decided] = found;
  return [reason, withStanding(world, decided)];
}

const versionsOf = ({ behaves }: World) => (behaves('rollingUpgrade') ? versionFirst : []);

function first<Where>(situations: Situation<Where>[], world: Where): [string, Decided] | undefined {
  for (const situation of situations) {
    const decided = situation.decide(world);
    if (decided) return [situation.reason, decided];
  }
  return undefined;
}

function complete(reason: string, decided: Decided, status: Plan['status']): Plan {
  const { message, steps = [], requeueAfterMs, blocked } = decided;
  return {
    reason,
    message,
    steps,
    status,
    ...(requeueAfterMs !== undefined && { requeueAfterMs }),
    ...(blocked && { blocked }),
  };
}
