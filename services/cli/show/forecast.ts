import { blockedLines } from '../../../libs/engine/blocked.ts';
import type { Margin } from '../../../libs/engine/contract.ts';
import { type ForecastStep, spareOf } from '../../../libs/engine/forecast.ts';
import type { Foreseen } from '../foresee/foresee.ts';
import type { Paint } from './paint.ts';
import { align } from './table.ts';

/** What an edit would do, for people: each step with what serves meanwhile, and where it ends. Pure. */
export function forecastLines(foreseen: Foreseen, paint: Paint): string[] {
  const { key, edit, changes, notes, forecast, blocked } = foreseen;
  const { steps, margin, marginAtEnd, reason, message, end } = forecast;
  const what = {
    create: 'is created',
    delete: 'is deleted',
    nothing: 'the edit changes nothing',
    change: changes.map(({ field, before, after }) => `${field} ${told(before)} → ${told(after)}`).join(', '),
  };
  const narrowest = steps.reduce<ForecastStep | undefined>(
    (least, step) => (spareIn(step) < spareIn(least) ? step : least),
    undefined,
  );
  const endWord =
    end === 'blocked' ? paint('red', 'Blocked') : end === 'rests' ? 'At the end' : 'Left unfinished';
  return [
    `${paint('bold', key)}: ${what[edit]}`,
    ...(margin ? [`Now: ${marginText(margin)}`] : []),
    ...notes.map((note) => `${paint('yellow', 'Note')}: ${note}`),
    ...(steps.length > 0 ? ['', ...stepLines(steps, paint), ''] : ['No step would be taken.']),
    ...(narrowest?.margin && margin && spareOf(narrowest.margin) < spareOf(margin)
      ? [`Narrowest: ${marginText(narrowest.margin)}, from step ${steps.indexOf(narrowest) + 1} on`]
      : []),
    `${endWord}: ${reason}: ${message}${marginAtEnd ? `; ${marginText(marginAtEnd)}` : ''}`,
    ...(blocked ? blockedLines(blocked).map((line) => `  ${line}`) : []),
  ];
}

/** How an edit is approved, where the resource requires that or somebody asks. Pure. */
export function approvalLines({ approval }: Foreseen, isAsked: boolean): string[] {
  if (!approval || !(approval.isRequired || isAsked)) return [];
  const who = approval.isRequired ? 'This resource requires approval' : 'No approval is required';
  return [`${who}. Plan: ${approval.hash}. To approve it:`, `  ${approval.command}`];
}

const spareIn = (step: ForecastStep | undefined): number =>
  step?.margin ? spareOf(step.margin) : Number.POSITIVE_INFINITY;

/** "2 of 3 serve, 0 can be lost (away: example-2)" */
export function marginText(margin: Margin): string {
  const spare = spareOf(margin);
  const rest = spare >= 0 ? `${spare} can be lost` : `${-spare} too few`;
  const away = margin.away.length > 0 ? ` (away: ${margin.away.join(', ')})` : '';
  return `${margin.serving} of ${margin.of} serve, ${rest}${away}`;
}

function stepLines(steps: readonly ForecastStep[], paint: Paint): string[] {
  const rows = steps.map(({ reason, step, margin, why }, index) => [
    `${index + 1}.`,
    reason,
    margin ? marginText(margin) : '',
    `${step}: ${why}`,
  ]);
  return align(rows).map(([number = '', reason = '', margin = '', what = ''], index) => {
    const spare = spareIn(steps[index]);
    const colour = spare < 0 ? 'red' : spare === 0 ? 'yellow' : 'green';
    return `  ${number}  ${paint('cyan', reason)}  ${paint(colour, margin)}  ${what}`.trimEnd();
  });
}

const told = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value));
