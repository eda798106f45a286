import { parseEvent } from '../../../libs/bus/envelope.ts';
import { blockedBy } from '../../../libs/engine/blocked.ts';
import type { Blocked } from '../../../libs/engine/contract.ts';
import type { Decision, StepRecord } from '../../../libs/engine/decision.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import type { Repeat } from '../../../libs/engine/repeat.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { type Difference, differences, isRestless } from './differences.ts';
import { type Change, changeOf } from './objects.ts';

/** What one pass saw, decided and did. */
export interface Pass {
  type: 'pass';
  time: string;
  decision: string;
  worker: string;
  engine: { name: string; version: number };
  /** What woke it, as far as the events are known; empty where the clock did. */
  wokenBy: { event: string; object?: string; words?: Difference[]; change?: Change['change'] }[];
  /** What it saw otherwise than the pass before it; absent where none before it is known. */
  saw?: Difference[];
  reason: string;
  message: string;
  /** The situation is the one of the pass before. */
  still: boolean;
  blocked?: Blocked;
  steps: StepRecord[];
  error?: NonNullable<Decision['error']>;
  durationMs: number;
}

/** Passes that saw, decided and did what the one before them had. */
export interface Repeats {
  type: 'repeats';
  time: string;
  /** The pass that they repeat. */
  decision: string;
  count: number;
  since: string;
  until: string;
  reason: string;
}

export type StoryEntry = Change | Pass | Repeats;

/** Tells records, given in the order of their times, as a story. */
export interface Teller {
  take(record: RecordingEntry): StoryEntry[];
  /** What is still being counted: repeats are only told when something else happens, or in the end. */
  counted(): Repeats[];
  /** The same for the last time. */
  rest(): Repeats[];
}

export function createTeller(): Teller {
  /** By subject, the object as the last event told it. */
  const objects = new Map<string, KubeObject>();
  const changes = new Map<string, Change>();
  /** By worker, the count of its repeats as it was last heard, and as it was last told: it grows in one message. */
  const repeats = new Map<string, Repeat>();
  const told = new Map<string, Repeat>();
  let last: Decision | undefined;
  let same: { count: number; since: string; until: string } | undefined;

  const counted = (): Repeats[] => {
    const ofWorkers = [...repeats.values()].map(({ worker, decision, count, firstTime, lastTime }) => {
      const before = told.get(worker);
      if (before?.decision !== decision) return { count, since: firstTime, until: lastTime };
      return { count: count - before.count, since: before.lastTime, until: lastTime };
    });
    const all = [...ofWorkers, ...(same ? [same] : [])].filter(({ count }) => count > 0);
    const decision = [...repeats.values()].at(-1)?.decision ?? last?.id;
    if (all.length === 0 || decision === undefined) return [];
    const until = all.map((each) => each.until).reduce((a, b) => (a > b ? a : b));
    const since = all.map((each) => each.since).reduce((a, b) => (a < b ? a : b));
    const count = all.reduce((sum, each) => sum + each.count, 0);
    return [
      { type: 'repeats', time: until, decision, count, since, until, reason: last?.plan?.reason ?? '' },
    ];
  };

  const rest = (): Repeats[] => {
    const entries = counted();
    for (const repeat of repeats.values()) told.set(repeat.worker, repeat);
    repeats.clear();
    same = undefined;
    return entries;
  };

  const takeEvent = (subject: string, payload: object): StoryEntry[] => {
    const read = parseEvent(JSON.stringify(payload));
    // The bus puts aside what is no event of ours, with the reason.
    if (!read.ok) return [];
    const { event } = read;
    const previous = objects.get(subject);
    const isSame = previous?.metadata.uid === event.data.metadata.uid;
    const change = changeOf(event, isSame ? previous : undefined);
    changes.set(event.id, change);
    objects.set(subject, event.data);
    const isSilent =
      change.change === 'modified' && change.differences.length === 0 && change.redeliveryOf === undefined;
    return [...(isSilent ? [] : rest()), change];
  };

  const takeDecision = (decision: Decision): StoryEntry[] => {
    const before = last;
    last = decision;
    const saw = before && seen(before, decision);
    if (before && saw?.length === 0 && isRepeat(before, decision)) {
      same = { count: (same?.count ?? 0) + 1, since: same?.since ?? decision.time, until: decision.time };
      return [];
    }
    return [...rest(), passOf(decision, before, saw, changes)];
  };

  return {
    counted,
    rest,
    take(record) {
      if ('event' in record) return takeEvent(record.event.subject, record.event.event);
      if ('decision' in record) return takeDecision(record.decision);
      repeats.set(record.repeat.worker, record.repeat);
      return [];
    },
  };
}

/** What a pass saw otherwise than the one before. */
const seen = (before: Decision, after: Decision): Difference[] =>
  [...differences(before.spec, after.spec, ['spec']), ...differences(before.facts, after.facts)].filter(
    ({ path }) => !path.some(isRestless),
  );

/** Whether nothing came of either, or the same nothing. */
function isRepeat(before: Decision, after: Decision): boolean {
  const told = ({ plan, approval, steps, error, resource }: Decision) =>
    JSON.stringify([
      ...[
        plan?.reason,
        plan?.message,
        blockedBy({ plan, approval }),
        error?.code,
        error?.message,
        resource?.uid,
      ],
      steps.map(({ step, why, outcome, detail }) => [step, why, outcome, detail]),
    ]);
  return after.steps.every(({ outcome }) => outcome !== 'done') && told(before) === told(after);
}

function passOf(
  decision: Decision,
  before: Decision | undefined,
  saw: Difference[] | undefined,
  changes: ReadonlyMap<string, Change>,
): Pass {
  const { id, time, worker, engine, wokenBy, plan, steps, error, durationMs } = decision;
  const blocked = blockedBy(decision);
  return {
    type: 'pass',
    time,
    decision: id,
    worker,
    engine,
    wokenBy: wokenBy.map((event) => {
      const change = changes.get(event);
      if (change === undefined) return { event };
      return { event, object: change.object, change: change.change, words: change.differences };
    }),
    ...(saw && { saw }),
    reason: plan?.reason ?? error?.code ?? '',
    message: plan?.message ?? error?.message ?? '',
    still:
      before?.plan !== undefined &&
      before.plan.reason === plan?.reason &&
      before.plan.message === plan.message,
    ...(blocked && { blocked }),
    steps,
    ...(error && { error }),
    durationMs: durationMs.observe + durationMs.plan + durationMs.act,
  };
}

/** In the order in which things happened: a pass begins after the events that woke it, whatever the clocks say. */
export function inOrder(records: readonly RecordingEntry[]): RecordingEntry[] {
  const eventTimes = new Map(
    records.flatMap((record) =>
      'event' in record ? [[record.event.event.id, Date.parse(record.event.event.time)] as const] : [],
    ),
  );
  const timed = records.map((record) => {
    if ('event' in record) return { record, timeMs: Date.parse(record.event.event.time), rank: 0 };
    if ('repeat' in record) return { record, timeMs: Date.parse(record.repeat.lastTime), rank: 2 };
    const { time, wokenBy } = record.decision;
    const timeMs = Math.max(Date.parse(time), ...wokenBy.map((id) => eventTimes.get(id) ?? 0));
    return { record, timeMs, rank: 1 };
  });
  return timed.sort((a, b) => a.timeMs - b.timeMs || a.rank - b.rank).map(({ record }) => record);
}
