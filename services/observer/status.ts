import { isDeepStrictEqual } from 'node:util';
import { blockedText, readBlocked } from '../../libs/engine/blocked.ts';
import type { Blocked, Condition } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { catalogue, type ErrorCode } from '../../libs/errors/catalogue.ts';

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
 * The status that a decision asks for, given the present one: `undefined` when nothing would change. Conditions
 * are merged by type, as Kubernetes' API conventions ask: `lastTransitionTime` moves only with the status of a
 * condition, `lastUpdateTime` with anything of it. Pure.
 */
export function nextStatus(
  current: WrittenStatus,
  decision: Decision,
  nowIso: string,
): WrittenStatus | undefined {
  // Its successor may have written already, and has seen more.
  if (decision.error?.code === 'TASK_LOST') return undefined;
  const wanted = decision.plan?.status;
  const blocked = blockedCondition(decision, current, nowIso);
  if (!decision.resource || (!wanted && !blocked)) return undefined;
  const { generation } = decision.resource;
  const conditions = [...(current.conditions ?? [])];
  for (const condition of [...(wanted?.conditions ?? []), ...(blocked ? [blocked] : [])]) {
    const index = conditions.findIndex((present) => present.type === condition.type);
    const present = conditions[index];
    const next = written(condition, present, generation, nowIso);
    if (index < 0) conditions.push(next);
    else conditions[index] = next;
  }
  const next: WrittenStatus = { ...(wanted ?? current), observedGeneration: generation, conditions };
  return isDeepStrictEqual(next, current) ? undefined : next;
}

function written(
  condition: Condition,
  present: WrittenCondition | undefined,
  generation: number,
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
    observedGeneration: generation,
  };
}

/**
 * Whether the cluster is blocked, by a rule of its plan or by an answer that no retry changes; `undefined` when
 * this pass could not tell.
 */
function blockedCondition(
  { plan, error, approval }: Decision,
  current: WrittenStatus,
  nowIso: string,
): Condition | undefined {
  const type = 'Blocked';
  const by = (reason: string, parts: Blocked): Condition => {
    const since = blockedSince(current, reason) ?? nowIso;
    return { type, status: 'True', reason, message: blockedText({ ...parts, since }) };
  };
  const refused = error && refusalOf(error);
  if (refused) return by(refused.reason, refused);
  if (plan?.blocked) return by(plan.reason, plan.blocked);
  if (approval?.blocked) return by('ApprovalRequired', approval.blocked);
  if (error || !plan?.status) return undefined;
  return { type, status: 'False', reason: 'NotBlocked', message: 'nothing stands in the way' };
}

/** Since when it is blocked for this reason, if it is; another one may have blocked it before. */
function blockedSince({ conditions }: WrittenStatus, reason: string): string | undefined {
  const present = conditions?.find(({ type }) => type === 'Blocked');
  if (present?.status !== 'True' || present.reason !== reason) return undefined;
  return readBlocked(present.message)?.since ?? present.lastTransitionTime;
}

/** Who does not let the write through that a pass needs, by the error's code. */
const refusals: Partial<Record<ErrorCode, { reason: string; rule: string }>> = {
  KUBE_QUOTA_EXCEEDED: {
    reason: 'QuotaExceeded',
    rule: 'what a quota of the namespace does not allow is not made',
  },
  KUBE_ADMISSION_REFUSED: {
    reason: 'AdmissionRefused',
    rule: "what the Kubernetes cluster's own rules forbid is not made",
  },
  KUBE_WEBHOOK_FAILED: {
    reason: 'WebhookFailed',
    rule: 'nothing is written past an admission webhook that must be asked',
  },
};

/** What an error says to people, where trying again alone does not help; what already runs goes on meanwhile. */
function refusalOf({ code, message, retryable }: NonNullable<Decision['error']>) {
  const refusal = refusals[code as ErrorCode];
  if (refusal === undefined && retryable) return undefined;
  const { reason, rule } = refusal ?? {
    reason: 'Refused',
    rule: 'a step that was refused is not gone around',
  };
  // A record of another version may tell of an error that this one does not know.
  const help = (catalogue[code as ErrorCode] as { help: string } | undefined)?.help ?? 'Read the evidence.';
  const action = `${help.charAt(0).toLowerCase()}${help.slice(1)}`.replace(/\.$/, '');
  return { reason, rule, evidence: message, action };
}

/** The merge patch that turns the present status into the next: what is left out of it goes. Pure. */
export function statusPatch(current: WrittenStatus, next: WrittenStatus): Record<string, unknown> {
  const gone = Object.keys(current).filter((field) => !(field in next));
  return { ...Object.fromEntries(gone.map((field) => [field, null])), ...next };
}
