import { isDeepStrictEqual } from 'node:util';
import { blockedText, readBlocked } from '../../libs/engine/blocked.ts';
import type { Condition } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { standingOf } from './standing.ts';

/** A condition as it stands in the resource. */
export interface WrittenCondition extends Condition {
  lastTransitionTime: string;
  lastUpdateTime: string;
  observedGeneration?: number;
}

export interface WrittenStatus {
  conditions?: WrittenCondition[];
  [field: string]: unknown;
}

/**
 * How much a decision has to say of its resource's status. Where it is everything, nothing is left of what the
 * decisions before it said.
 */
export function shareOf(decision: Decision): 'everything' | 'a part' | 'nothing' {
  // After a lost task, its successor may have decided already, and has seen more.
  if (decision.resource === undefined || decision.error?.code === 'TASK_LOST') return 'nothing';
  const isPlanned = decision.plan?.status !== undefined;
  const isStanding = standingOf(decision) !== undefined;
  if (isPlanned && isStanding) return 'everything';
  return isPlanned || isStanding ? 'a part' : 'nothing';
}

/**
 * The status that decisions about one resource, in their order, ask for, given the present one: `undefined` when
 * nothing would change. Conditions are merged by type, as Kubernetes' API conventions ask: `lastTransitionTime` moves
 * only with the status of a condition, `lastUpdateTime` with anything of it. Pure.
 */
export function nextStatus(
  current: WrittenStatus,
  decisions: readonly Decision[],
  nowIso: string,
): WrittenStatus | undefined {
  const saying = decisions.filter((decision) => shareOf(decision) !== 'nothing');
  const last = saying.at(-1);
  if (last === undefined) return undefined;
  const planned = saying.findLast(({ plan }) => plan?.status !== undefined);
  const standing = saying.findLast((decision) => standingOf(decision) !== undefined);
  const wanted = planned?.plan?.status;
  const asked = [
    ...(wanted?.conditions ?? []).map((condition) => ({ condition, by: planned })),
    ...(standing ? [{ condition: blockedCondition(standing, current, nowIso), by: standing }] : []),
  ];
  const conditions = [...(current.conditions ?? [])];
  for (const { condition, by } of asked) {
    const index = conditions.findIndex((present) => present.type === condition.type);
    const next = written(condition, conditions[index], by?.resource?.generation, nowIso);
    if (index < 0) conditions.push(next);
    else conditions[index] = next;
  }
  const observedGeneration = last.resource?.generation;
  const next: WrittenStatus = { ...(wanted ?? current), observedGeneration, conditions };
  return isDeepStrictEqual(next, current) ? undefined : next;
}

function written(
  condition: Condition,
  present: WrittenCondition | undefined,
  generation: number | undefined,
  nowIso: string,
): WrittenCondition {
  const { type, status, reason, message } = condition;
  const isSame = present?.status === status && present.reason === reason && present.message === message;
  return {
    type,
    status,
    reason,
    message,
    lastTransitionTime: present?.status === status ? present.lastTransitionTime : nowIso,
    lastUpdateTime: isSame ? present.lastUpdateTime : nowIso,
    ...(generation !== undefined && { observedGeneration: generation }),
  };
}

function blockedCondition(decision: Decision, current: WrittenStatus, nowIso: string): Condition {
  const type = 'Blocked';
  const standing = standingOf(decision);
  if (standing === undefined || standing === 'free')
    return { type, status: 'False', reason: 'NotBlocked', message: 'nothing stands in the way' };
  const { reason, blocked } = standing;
  const since = blockedSince(current, reason) ?? nowIso;
  return { type, status: 'True', reason, message: blockedText({ ...blocked, since }) };
}

/** Since when it is blocked for this reason, if it is; another one may have blocked it before. */
function blockedSince({ conditions }: WrittenStatus, reason: string): string | undefined {
  const present = conditions?.find(({ type }) => type === 'Blocked');
  if (present?.status !== 'True' || present.reason !== reason) return undefined;
  return readBlocked(present.message)?.since ?? present.lastTransitionTime;
}

/** The merge patch that turns the present status into the next: what is left out of it goes. Pure. */
export function statusPatch(current: WrittenStatus, next: WrittenStatus): Record<string, unknown> {
  const gone = Object.keys(current).filter((field) => !(field in next));
  return { ...Object.fromEntries(gone.map((field) => [field, null])), ...next };
}
