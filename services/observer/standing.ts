import type { Blocked } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { catalogue, type ErrorCode } from '../../libs/errors/catalogue.ts';

/** What stands in a cluster's way, under a word for it; or that nothing does. */
export type Standing = { reason: string; blocked: Blocked } | 'free';

/**
 * Whether the cluster is blocked, by a rule of its plan or by an answer that no retry changes; `undefined` when
 * this pass could not tell. Pure.
 */
export function standingOf({ plan, error, approval }: Decision): Standing | undefined {
  const refused = error && refusalOf(error);
  if (refused) return refused;
  if (plan?.blocked) return { reason: plan.reason, blocked: plan.blocked };
  if (approval?.blocked) return { reason: 'ApprovalRequired', blocked: approval.blocked };
  return error || !plan?.status ? undefined : 'free';
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
  SPEC_UNFIT: {
    reason: 'SpecUnfit',
    rule: 'nothing is done that cannot be recorded',
  },
  KUBE_WEBHOOK_FAILED: {
    reason: 'WebhookFailed',
    rule: 'nothing is written past an admission webhook that must be asked',
  },
};

/** What an error says to people, where trying again alone does not help; what already runs goes on meanwhile. */
function refusalOf({ code, message, retryable }: NonNullable<Decision['error']>): Standing | undefined {
  const refusal = refusals[code as ErrorCode];
  if (refusal === undefined && retryable) return undefined;
  const { reason, rule } = refusal ?? {
    reason: 'Refused',
    rule: 'a step that was refused is not gone around',
  };
  // A record of another version may tell of an error that this one does not know.
  const help = (catalogue[code as ErrorCode] as { help: string } | undefined)?.help ?? 'Read the evidence.';
  const action = `${help.charAt(0).toLowerCase()}${help.slice(1)}`.replace(/\.$/, '');
  return { reason, blocked: { rule, evidence: message, action } };
}
