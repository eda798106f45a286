import type { StepRecord } from '../../../libs/engine/decision.ts';
import type { Colour, Paint } from '../show/paint.ts';
import type { Change } from './objects.ts';
import type { Pass, Repeats, StoryEntry } from './story.ts';
import { fold, phrase, phrases } from './words.ts';

/** The story as lines of text: a column of times, what it is about, and what happened. Pure. */

const labelWidth = 8;
const indent = ' '.repeat('00:00:00.000    '.length);
/** Where the texts of a pass begin. */
export const hangingIndent = indent.length + labelWidth + 2;

/** The lines of an entry; none where there is nothing worth a line. */
export function entryLines(entry: StoryEntry, paint: Paint): string[] {
  if (entry.type === 'change') return changeLines(entry, paint);
  return entry.type === 'pass' ? passLines(entry, paint) : repeatLines(entry, paint);
}

/** The day, where it is another than that of the entry before: times in lines are those of the day. */
export function dayLine(before: string | undefined, time: string, paint: Paint): string[] {
  const day = time.slice(0, 10);
  return before?.slice(0, 10) === day ? [] : [paint('dim', `${day} (times in UTC)`)];
}

const clock = (time: string): string => time.slice(11, 23);

/** An id as it is shown: what makes it unique here is in its first letters. */
export const shortId = (id: string): string => id.slice(0, 8);

export const changeColour: Record<Change['change'], Colour> = {
  added: 'green',
  modified: 'cyan',
  deleted: 'red',
};

function changeLines(change: Change, paint: Paint): string[] {
  const words = fold(phrases(change.differences)).join('; ');
  if (change.redeliveryOf !== undefined)
    return [`${clock(change.time)}  ${paint('bold', change.object)} ${change.change} (delivered again)`];
  if (change.change === 'modified' && words === '') return [];
  const what = change.change === 'modified' ? '' : ` ${paint(changeColour[change.change], change.change)}`;
  const by = change.by === undefined ? '' : paint('dim', `  (${change.by})`);
  return [
    `${paint('dim', clock(change.time))}  ${paint('bold', change.object)}${what}${words === '' ? '' : `: ${words}`}${by}`,
  ];
}

function passLines(pass: Pass, paint: Paint): string[] {
  const { time, decision, worker, reason, message, saw = [], steps, still, error, blocked } = pass;
  const name = paint('bold', `pass ${shortId(decision)}`);
  const what = still && steps.length === 0 ? paint('dim', `still ${reason}`) : paint(colourOf(pass), reason);
  const took = paint('dim', `  (${worker}, ${Math.round(pass.durationMs)} ms)`);
  const row = (label: string, text: string) => `${indent}${paint('dim', label.padEnd(labelWidth))}  ${text}`;
  return [
    `${paint('dim', clock(time))}  ${name} ${what}${took}`,
    row('woken', wokenWords(pass)),
    ...(saw.length > 0 ? [row('saw', fold(phrases(saw)).join('; '))] : []),
    ...(still && steps.length === 0 ? [] : [row('because', message)]),
    ...(blocked
      ? [
          row('blocked', `rule: ${blocked.rule}`),
          row('', `evidence: ${blocked.evidence}`),
          row('', `what you can do: ${blocked.action}`),
        ]
      : []),
    ...fold(
      steps.map((step) => row('', stepWords(step, paint))),
      12,
    ),
    ...(error && !steps.some(({ outcome }) => outcome === 'failed')
      ? [row('', `${paint('red', '✘')} ${error.message}`)]
      : []),
  ];
}

function colourOf({ error, blocked, steps }: Pass): Colour {
  if (error || blocked) return 'red';
  return steps.some(({ outcome }) => outcome === 'done') ? 'green' : 'yellow';
}

/** What woke it; the changes themselves stand above it in the story, so the first words of each will do. */
function wokenWords({ wokenBy }: Pass): string {
  if (wokenBy.length === 0) return 'by the clock: the pass before had asked for another one';
  const byObject = Map.groupBy(wokenBy, ({ event, object }) => {
    if (event.startsWith('resync/')) return 'the waking of every cluster, after Redis lost what was due';
    if (event.startsWith('record/'))
      return 'a record that was stored late, maybe after those of later passes';
    if (event.startsWith('look/')) return `a look: ${event.slice('look/'.length)} did not answer as before`;
    return object ?? 'an event that is not kept';
  });
  const items = [...byObject].map(([name, wakes]) => {
    const told = wakes.flatMap(({ change, words = [] }) =>
      change === 'modified'
        ? words.slice(0, 1).map(({ note: _note, ...each }) => phrase(each))
        : (change ?? []),
    );
    const [first] = told;
    return {
      isTold: first !== undefined,
      text: [name, first, told.length > 1 ? '…' : ''].filter(Boolean).join(' '),
    };
  });
  const sorted = items.toSorted((a, b) => Number(b.isTold) - Number(a.isTold));
  return fold(
    sorted.map(({ text }) => text),
    3,
  ).join('; ');
}

const marks: Record<StepRecord['outcome'], [Colour, string]> = {
  done: ['green', '✔'],
  nothing: ['dim', '·'],
  moved: ['yellow', '↻'],
  failed: ['red', '✘'],
  skipped: ['dim', '–'],
};

export function stepWords({ step, why, outcome, detail }: StepRecord, paint: Paint): string {
  const [colour, mark] = marks[outcome];
  const told = outcome === 'done' ? detail && ` (${detail})` : `; ${outcome}${detail ? `: ${detail}` : ''}`;
  return `${paint(colour, mark)} ${step}: ${why}${told ?? ''}`;
}

function repeatLines({ count, since, until }: Repeats, paint: Paint): string[] {
  const words =
    count === 1
      ? 'one more pass, nothing changed'
      : `${count} more passes until ${clock(until)}, nothing changed`;
  return [paint('dim', `${clock(since)}  ${words}`)];
}
