import { isDeepStrictEqual } from 'node:util';
import type { Plan, Step } from './contract.ts';
import { subjectOf } from './subject.ts';

/** One point in which two plans differ, for people: where, and what each has there. */
export interface Difference {
  /** E.g. `situation`, `steps`, `steps.1.args.uid`, `status.phase`, `status.conditions.Available.reason`. */
  part: string;
  recorded: string;
  replayed: string;
}

/** The points in which what was recorded and what is planned now differ; the most telling ones first. Pure. */
export function differencesOf(recorded: Plan, replayed: Plan): Difference[] {
  return [
    ...leaves('situation', recorded.reason, replayed.reason),
    ...leaves('message', recorded.message, replayed.message),
    ...stepDifferences(recorded.steps, replayed.steps),
    ...leaves('status', statusOf(recorded), statusOf(replayed)),
    ...leaves('blocked', recorded.blocked, replayed.blocked),
    ...leaves('requeueAfterMs', recorded.requeueAfterMs, replayed.requeueAfterMs),
  ];
}

/** Where other steps are planned, the two lists; where the same are planned with other arguments, those. */
function stepDifferences(recorded: Step[], replayed: Step[]): Difference[] {
  const [before, after] = [recorded, replayed].map((steps) => steps.map(nameOf).join(', ') || 'none');
  if (before === undefined || after === undefined || before === after)
    return leaves('steps', recorded, replayed);
  return [{ part: 'steps', recorded: before, replayed: after }];
}

function nameOf({ step, args }: Step): string {
  const subject = subjectOf(args);
  return subject === undefined ? step : `${step} ${subject}`;
}

/** Conditions are told apart by their types, whatever their order. */
function statusOf({ status }: Plan): object | undefined {
  if (status === undefined) return undefined;
  const conditions = status.conditions.map(({ type, ...rest }) => [type, rest] as const);
  return { ...status, conditions: Object.fromEntries(conditions) };
}

/** The places at which two values differ, as deep as both have the same shape. */
function leaves(part: string, recorded: unknown, replayed: unknown): Difference[] {
  if (isDeepStrictEqual(recorded, replayed)) return [];
  if (!isBranch(recorded) || !isBranch(replayed) || Array.isArray(recorded) !== Array.isArray(replayed)) {
    return [{ part, recorded: shown(recorded), replayed: shown(replayed) }];
  }
  const fields = [...new Set([...Object.keys(recorded), ...Object.keys(replayed)])];
  return fields.flatMap((field) => leaves(`${part}.${field}`, recorded[field], replayed[field]));
}

const isBranch = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
