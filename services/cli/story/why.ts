import { blockedBy } from '../../../libs/engine/blocked.ts';
import type { Decision } from '../../../libs/engine/decision.ts';
import { type Cause, causeOf, deletionCause, makerOf } from './cause.ts';
import type { History, Incarnation } from './history.ts';

/** The answer to `quorate why`: of an object each of its incarnations, or of a condition how it came to be so. */
export interface Answer {
  /** What was asked about, e.g. `pod/example-4` or `condition/Available`. */
  about: string;
  /** The newest first; empty where nothing is recorded. */
  parts: AnswerPart[];
}

export interface AnswerPart {
  /** What is to be explained, in words. */
  what: string;
  time: string;
  uid?: string;
  causes: Cause[];
}

/** Why there is, or was, an object of that name. */
export function whyObject(history: History, object: string): Answer {
  const parts = history
    .incarnations(object)
    .toReversed()
    .flatMap((incarnation) => [
      ...goneParts(history, object, incarnation),
      ...madeParts(history, object, incarnation),
    ]);
  return { about: object, parts };
}

function goneParts(history: History, object: string, incarnation: Incarnation): AnswerPart[] {
  const { uid, deletionAt, goneAt } = incarnation;
  if (deletionAt === undefined) return [];
  const what = goneAt === undefined ? `${object} is being deleted` : `${object} was deleted`;
  return [{ what, time: goneAt ?? deletionAt, uid, causes: deletionCause(history, object, incarnation) }];
}

function madeParts(history: History, object: string, incarnation: Incarnation): AnswerPart[] {
  const { uid, seenAt, isWhole } = incarnation;
  const maker = makerOf(history, incarnation);
  const what = isWhole ? `${object} was made` : `${object} was there already`;
  if (maker)
    return [{ what, time: seenAt, uid, causes: [causeOf(history, maker.decision, [maker.record.why])] }];
  const words = isWhole
    ? 'by no step that is recorded: a person or another controller made it, or the record of its pass is lost'
    : 'what was before that is not kept';
  return [{ what, time: seenAt, uid, causes: [{ type: 'unknown', words }] }];
}

/** Why a condition of the custom resource is as it is: the pass that said so when it last turned. */
export function whyCondition(history: History, type: string): Answer {
  const about = `condition/${type}`;
  const turn = history.changes.findLast(({ differences }) =>
    differences.some(({ path }) => path.at(-2) === 'conditions' && path.at(-1) === type),
  );
  const difference = turn?.differences.find(
    ({ path }) => path.at(-2) === 'conditions' && path.at(-1) === type,
  );
  if (turn === undefined || difference === undefined) return { about, parts: [] };
  const said = history.decisions.findLast(
    (decision) => decision.time <= turn.time && statusOf(decision, type) === difference.after,
  );
  const what = `${type} became ${difference.after}${difference.note === undefined ? '' : ` (${difference.note})`}`;
  const causes: Cause[] = said
    ? [causeOf(history, firstInRow(history, said, type), [])]
    : [{ type: 'unknown', words: 'no record that is kept says so' }];
  return { about, parts: [{ what, time: turn.time, causes }] };
}

/** Of the passes in a row that said the same of the condition, the first: it is the one that found it out. */
function firstInRow(history: History, said: Decision, type: string): Decision {
  let first = said;
  for (let index = history.decisions.indexOf(said) - 1; index >= 0; index--) {
    const earlier = history.decisions[index];
    if (earlier === undefined || statusOf(earlier, type) !== statusOf(said, type)) break;
    first = earlier;
  }
  return first;
}

/** The answer with every pass told once: many ways may lead back to the same one. */
export function toldOnce({ about, parts }: Answer): Answer {
  const told = new Set<string>();
  const once = (cause: Cause): Cause => {
    if (cause.type !== 'pass') return cause;
    if (told.has(cause.decision)) return { ...cause, because: [] };
    told.add(cause.decision);
    return { ...cause, because: cause.because.map(once) };
  };
  return { about, parts: parts.map((part) => ({ ...part, causes: part.causes.map(once) })) };
}

/** What a pass said of a condition. Whether it is blocked, the observer concludes from the plan, the approval or the error. */
function statusOf({ plan, approval, error }: Decision, type: string): string | undefined {
  const stated = plan?.status?.conditions.find((condition) => condition.type === type)?.status;
  if (stated !== undefined || type !== 'Blocked') return stated;
  return blockedBy({ plan, approval }) || (error && !error.retryable) ? 'True' : 'False';
}
