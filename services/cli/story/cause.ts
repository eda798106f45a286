import { blockedBy } from '../../../libs/engine/blocked.ts';
import type { Blocked } from '../../../libs/engine/contract.ts';
import type { Decision } from '../../../libs/engine/decision.ts';
import type { Difference } from './differences.ts';
import type { History, Incarnation } from './history.ts';
import { bareName, type Found, foundOf, namesIn, sawOf, wordsOf } from './named.ts';
import { type Change, isAsked, isSetback, pluralOf } from './objects.ts';

/** Why something is as it is: a pass that made it so, or something that no pass did, and what was before that. */
export type Cause = PassCause | OutsideCause | UnknownCause;

export interface PassCause {
  type: 'pass';
  decision: string;
  time: string;
  /** The steps that did it; empty where the pass only said so. */
  steps: { step: string; why: string }[];
  reason: string;
  message: string;
  blocked?: Blocked;
  /** What it saw otherwise than the pass before it, of what its words name. */
  saw: Difference[];
  /** Where in its facts it found what its words name, where none of that was new. */
  found: Found[];
  /** How many passes lie between, that found and did nothing of their own. */
  skipped: number;
  /** Empty where it is told elsewhere in the same answer. */
  because: Cause[];
}

/** A change in Kubernetes that no step made. */
export interface OutsideCause {
  type: 'change';
  time: string;
  object: string;
  change: Change['change'];
  differences: Difference[];
  by?: string;
  /** What is known of who deleted it. */
  hint?: string;
  /** It woke the pass; without that, the pass could see it all the same. */
  woke?: boolean;
  /** It is not what led to the pass, but what was asked of the cluster in the meantime. */
  meanwhile?: true;
}

export interface UnknownCause {
  type: 'unknown';
  words: string;
}

/** What led to a pass: what it names that changed from outside, or else the pass before it that did something. */
export function causeOf(history: History, decision: Decision, stepNames?: readonly string[]): PassCause {
  const { plan, error, steps } = decision;
  const blocked = blockedBy(decision);
  const index = history.decisions.indexOf(decision);
  const before = history.decisions[index - 1];
  const names = namesIn(history, decision);
  const done = steps.filter(({ outcome }) => outcome === 'done');
  const saw = before === undefined ? [] : sawOf(before, decision, names);
  return {
    type: 'pass',
    decision: decision.id,
    time: decision.time,
    steps: done
      .filter((each) => stepNames === undefined || stepNames.includes(each.why))
      .map(({ step, why }) => ({ step, why })),
    reason: plan?.reason ?? error?.code ?? '',
    message: plan?.message ?? error?.message ?? '',
    ...(blocked && { blocked }),
    saw,
    found: saw.length > 0 ? [] : foundOf(decision, names),
    skipped: 0,
    because: becauseOf(history, index),
  };
}

/** What was worked out already: many ways may lead back to the same pass. */
const known = new WeakMap<History, Map<string, Cause[]>>();

function once(history: History, name: string, work: () => Cause[]): Cause[] {
  const ofHistory = known.get(history) ?? new Map<string, Cause[]>();
  known.set(history, ofHistory);
  const causes = ofHistory.get(name) ?? work();
  ofHistory.set(name, causes);
  return causes;
}

const becauseOf = (history: History, index: number): Cause[] =>
  once(history, `because ${index}`, () => lookBack(history, index));

function lookBack(history: History, index: number): Cause[] {
  const outside = outsideOf(history, index);
  const roots = outside.filter((cause) => cause.type === 'change');
  const isAskedFor = roots.some(({ object }) => isOf(history, object));
  if (roots.length > 0 && !isAskedFor) return [...outside, ...askedMeanwhile(history, index)];
  if (outside.length > 0) return outside;
  for (let earlier = index - 1; earlier >= 0; earlier--) {
    const decision = history.decisions[earlier];
    if (decision === undefined) break;
    const hasDone = decision.steps.some(({ outcome }) => outcome === 'done');
    const isCause = hasDone || outsideOf(history, earlier).length > 0;
    if (isCause) return [{ ...causeOf(history, decision), skipped: index - 1 - earlier }];
    if (isAtRest(decision)) {
      const words = `nothing that is recorded: pass ${decision.id.slice(0, 8)} before it found all well (${decision.plan?.message})`;
      return [{ type: 'unknown', words }];
    }
  }
  return [{ type: 'unknown', words: 'what was before that is not kept' }];
}

/** What else had been asked of the cluster since it was at rest, beside what led to the pass itself. */
function askedMeanwhile(history: History, index: number): Cause[] {
  const own: Cause[] = [];
  for (let earlier = index - 1; earlier >= 0; earlier--) {
    const decision = history.decisions[earlier];
    if (decision === undefined || isAtRest(decision)) break;
    const asked = outsideOf(history, earlier).filter(({ type }) => type === 'change') as OutsideCause[];
    const wishes = asked.filter(({ object, change }) => change !== 'deleted' && isOf(history, object));
    own.push(...wishes.map((wish) => ({ ...wish, meanwhile: true as const })));
  }
  return own;
}

/** Conditions that mean that something is under way or in the way, of every engine. */
const underWay = ['Blocked', 'Recovering', 'Upgrading', 'Scaling'];

const isAtRest = ({ plan, approval, steps }: Decision): boolean =>
  plan?.status !== undefined &&
  steps.length === 0 &&
  blockedBy({ plan, approval }) === undefined &&
  !plan.status.conditions.some(({ type, status }) => underWay.includes(type) && status === 'True');

/** The changes that a pass was woken by, or could see first, which no step made and which its words name. */
const outsideOf = (history: History, index: number): Cause[] =>
  once(history, `outside ${index}`, () => lookOutside(history, index));

function lookOutside(history: History, index: number): Cause[] {
  const decision = history.decisions[index];
  if (decision === undefined) return [];
  const sinceMs = Date.parse(history.decisions[index - 1]?.time ?? '') || 0;
  const untilMs = Date.parse(decision.time) + decision.durationMs.observe;
  const names = namesIn(history, decision);
  const changes = history.changes.filter(({ event, time }) => {
    const timeMs = Date.parse(time);
    return decision.wokenBy.includes(event) || (timeMs > sinceMs && timeMs <= untilMs);
  });
  const causes = changes.flatMap((change): Cause[] => {
    const isOwn = isOf(history, change.object) && isAsked(change);
    const isNamed = names.includes(bareName(change)) && isSetback(change);
    if (!isOwn && !(isNamed && !isConsequence(history, index, change))) return [];
    const woke = changes.some(({ uid, event }) => uid === change.uid && decision.wokenBy.includes(event));
    return outsideCause(history, change, index).map((cause) =>
      cause.type === 'change' && woke ? { ...cause, woke } : cause,
    );
  });
  // Of one deletion there are two events: that it was asked for, and that it is done.
  return [...new Map(causes.map((cause) => [JSON.stringify(cause), cause])).values()];
}

/** Whether it befell a thing that a step has just been about: a member that is removed ends by itself. */
function isConsequence(history: History, index: number, change: Change): boolean {
  if (change.change === 'deleted' || change.differences.some(({ path }) => path[0] === 'deletion'))
    return false;
  for (let earlier = index - 1; earlier >= 0; earlier--) {
    const decision = history.decisions[earlier];
    if (decision === undefined || isAtRest(decision)) return false;
    const done = decision.steps.filter(({ outcome }) => outcome === 'done');
    if (done.some(({ why }) => wordsOf(why).has(bareName(change)))) return true;
  }
  return false;
}

/** Whether it is the custom resource itself, and none of the things of its name. */
const isOf = (history: History, object: string): boolean =>
  object.endsWith(`/${history.cluster}`) && pluralOf(object.split('/')[0] ?? '') === undefined;

/** The change itself, or the pass whose step made it. */
function outsideCause(history: History, change: Change, index: number): Cause[] {
  const { uid, object, time } = change;
  const isEnd = change.change === 'deleted' || change.differences.some(({ path }) => path[0] === 'deletion');
  const incarnation = history.incarnations(object).find((each) => each.uid === uid);
  if (isEnd && incarnation) return deletionCause(history, object, incarnation, index);
  // What a step wrote is the effect of its pass, and no cause of the next.
  if (change.change === 'added' && incarnation && makerOf(history, incarnation)) return [];
  if (change.by === 'quorate') return [];
  const { differences: found, by } = change;
  return [{ type: 'change', time, object, change: change.change, differences: found, ...(by && { by }) }];
}

/** Longer than this before a deletion was told of, no step can have asked for it. */
const deletionDelayMs = 10_000;

/** Who deleted it: a step of one of the passes before the given place, or somebody else. */
export function deletionCause(
  history: History,
  object: string,
  incarnation: Incarnation,
  before = history.decisions.length,
): Cause[] {
  const { uid, deletionAt, goneAt } = incarnation;
  if (deletionAt === undefined) return [];
  const deletionMs = Date.parse(deletionAt);
  const steps = history.touching(uid).filter(({ decision }) => {
    const begunMs = Date.parse(decision.time);
    const isInTime = begunMs <= deletionMs && deletionMs - begunMs < deletionDelayMs;
    return isInTime && history.decisions.indexOf(decision) < before;
  });
  // The one that made it, where it was short-lived, is not the one that deleted it.
  const made = makerOf(history, incarnation);
  const step = steps.findLast(({ record }) => record !== made?.record);
  if (step) return [causeOf(history, step.decision, [step.record.why])];
  return [
    {
      type: 'change',
      time: deletionAt,
      object,
      change: 'deleted',
      differences: [],
      hint: hintOf(incarnation, goneAt),
    },
  ];
}

/** The step that made it, where its making is recorded. */
export function makerOf(history: History, { uid, seenAt }: Incarnation) {
  return history.touching(uid).find(({ decision }) => Date.parse(decision.time) <= Date.parse(seenAt));
}

function hintOf({ object, deletionAt }: Incarnation, goneAt: string | undefined): string {
  const { conditions = [] } = (object['status'] ?? {}) as {
    conditions?: { type: string; reason?: string; message?: string }[];
  };
  // Kubernetes notes on a pod why it ends it, from 1.26 on.
  const noted = conditions.find(({ type }) => type === 'DisruptionTarget');
  const who = noted
    ? `by Kubernetes: ${[noted.reason, noted.message].filter(Boolean).join(': ')}`
    : 'by no step of Quorate, so by a person or another controller';
  return goneAt !== undefined && goneAt !== deletionAt ? `${who}; gone at ${goneAt.slice(11, 23)}` : who;
}
