import type { Blocked } from './contract.ts';
import type { Decision } from './decision.ts';

/** Why a cluster is blocked, in the four parts a person needs; the same in condition, event, `status` and `plan`. */
export interface BlockedParts extends Blocked {
  /** An ISO time in whole seconds, or, of what is only planned, in words. */
  since: string;
}

/** What a pass was blocked by: by a rule of its plan, or else by an edit that waits for its approval. */
export const blockedBy = ({ plan, approval }: Pick<Decision, 'plan' | 'approval'>): Blocked | undefined =>
  plan?.blocked ?? approval?.blocked;

/** The most characters of an event's message that the Kubernetes API takes. */
const longestText = 1024;

const order = ['rule', 'evidence', 'since', 'action'] as const;

const labels: Record<(typeof order)[number], string> = {
  rule: 'Rule',
  evidence: 'Evidence',
  since: 'Since',
  action: 'What you can do',
};

/** One line with all four parts. Where it would be too long for an event, the evidence gives way. */
export function blockedText(parts: BlockedParts): string {
  const line = (evidence: string) =>
    order.map((part) => `${labels[part]}: ${part === 'evidence' ? evidence : parts[part]}.`).join(' ');
  const whole = line(parts.evidence);
  const excess = whole.length - longestText;
  return excess <= 0 ? whole : line(`${parts.evidence.slice(0, -excess - 1)}…`);
}

/** Each part on a line of its own, for terminals. */
export const blockedLines = (parts: BlockedParts): string[] =>
  order.map((part) => `${labels[part]}: ${parts[part]}`);

const written = new RegExp(`^${order.map((part) => `${labels[part]}: (?<${part}>.*)\\.`).join(' ')}$`, 's');

/** The parts of such a line, or `undefined` where it is another text. */
export function readBlocked(text: string): BlockedParts | undefined {
  const found = written.exec(text)?.groups;
  if (!found) return undefined;
  const [rule = '', evidence = '', since = '', action = ''] = order.map((part) => found[part]);
  return { rule, evidence, since, action };
}
