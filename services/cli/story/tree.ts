import type { Paint } from '../show/paint.ts';
import type { Cause, PassCause } from './cause.ts';
import { changeColour, shortId } from './lines.ts';
import type { Answer, AnswerPart } from './why.ts';
import { fold, phrases } from './words.ts';

/** The answer to `quorate why` as a tree of lines: what there is, and below it what led to it, back to the root. Pure. */

/** Of a longer chain of passes only the ends are shown. */
const mostPasses = 6;

interface Branch {
  text: string;
  children: Branch[];
}

export function answerLines(answer: Answer, paint: Paint): string[] {
  return answer.parts.flatMap((part, index) => [
    ...(index > 0 ? [''] : []),
    ...linesOf(partBranch(part, paint), '', ''),
  ]);
}

function partBranch({ what, time, uid, causes }: AnswerPart, paint: Paint): Branch {
  const told = uid === undefined ? '' : paint('dim', `  (uid ${uid})`);
  return {
    text: `${paint('bold', what)} at ${moment(time)}${told}`,
    children: causes.flatMap((cause) => branches(shortened(cause), paint)),
  };
}

const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 23)}`;

function branches(cause: Cause, paint: Paint): Branch[] {
  if (cause.type === 'unknown') return [{ text: paint('yellow', cause.words), children: [] }];
  if (cause.type === 'change') {
    const { time, object, change, differences, by, hint } = cause;
    const what = change === 'modified' ? 'changed' : `was ${change}`;
    const words = fold(phrases(differences)).join('; ');
    const told = [
      words === '' ? '' : `: ${words}`,
      by === undefined ? '' : `, by ${by}`,
      hint === undefined ? '' : `, ${hint}`,
    ];
    return [
      {
        text: `${object} ${paint(changeColour[change], what)} at ${moment(time)}${told.join('')}`,
        children: [],
      },
    ];
  }
  return [passBranch(cause, paint)];
}

function passBranch(cause: PassCause, paint: Paint): Branch {
  const { decision, time, steps, reason, message, blocked, saw, found, because, skipped } = cause;
  const leaf = (text: string): Branch => ({ text, children: [] });
  const between =
    skipped === 0 ? '' : paint('dim', `, ${skipped} ${skipped === 1 ? 'pass' : 'passes'} later`);
  return {
    text: `${paint('bold', `pass ${shortId(decision)}`)} at ${moment(time)}${between}`,
    children: [
      ...fold(steps.map(({ step, why }) => `did ${paint('green', step)}: ${why}`)).map(leaf),
      leaf(`because ${paint('yellow', reason)}: ${message}`),
      ...(blocked
        ? [leaf(`${paint('red', 'blocked')} by the rule: ${blocked.rule}; evidence: ${blocked.evidence}`)]
        : []),
      ...(saw.length > 0 ? [leaf(`it saw: ${fold(phrases(saw)).join('; ')}`)] : []),
      ...foundWords(found).map(leaf),
      ...(because.length > 0
        ? because.flatMap((each) => after(each, paint))
        : [leaf('what led to it is told above')]),
    ],
  };
}

/** Where things were found, those that were found alike told together. */
function foundWords(found: PassCause['found']): string[] {
  const alike = Map.groupBy(found, ({ among, notAmong }) =>
    [
      ...(among.length > 0 ? [`among ${among.join(', ')}`] : []),
      ...(notAmong.length > 0 ? [`not among ${notAmong.join(', ')}`] : []),
    ].join(', '),
  );
  return [...alike].map(([where, things]) => {
    const names = things.map(({ name }) => name);
    return `it found ${fold(names, 4).join(', ')} ${where}`;
  });
}

/** What came before a pass. */
function after(cause: Cause, paint: Paint): Branch[] {
  const { woke, meanwhile } = cause.type === 'change' ? cause : {};
  const outside = meanwhile ? 'meanwhile ' : woke ? 'woken by: ' : 'since ';
  const word = { pass: 'after ', change: outside, unknown: '' }[cause.type];
  return branches(cause, paint).map(({ text, children }) => ({ text: `${word}${text}`, children }));
}

/** A chain of passes without those in its middle. */
function shortened(cause: Cause): Cause {
  const chain: PassCause[] = [];
  for (let each: Cause | undefined = cause; each?.type === 'pass'; [each] = each.because) chain.push(each);
  if (chain.length <= mostPasses) return cause;
  const end = chain.at(-1);
  const middle = chain.slice(mostPasses - 1, -1);
  const skipped = middle.reduce((sum, each) => sum + each.skipped + 1, end?.skipped ?? 0);
  const rest: Cause[] = end ? [{ ...end, skipped }] : [];
  return (
    chain.slice(0, mostPasses - 1).reduceRight<Cause[]>((because, each) => [{ ...each, because }], rest)[0] ??
    cause
  );
}

function linesOf({ text, children }: Branch, first: string, rest: string): string[] {
  return [
    `${first}${text}`,
    ...children.flatMap((child, index) => {
      const isLast = index === children.length - 1;
      return linesOf(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`);
    }),
  ];
}
