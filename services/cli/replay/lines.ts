import { stringify } from 'yaml';
import type { Decision } from '../../../libs/engine/decision.ts';
import type { Difference } from '../../../libs/engine/difference.ts';
import { holesIn } from '../../../libs/engine/holes.ts';
import type { Repeat } from '../../../libs/engine/repeat.ts';
import type { Paint } from '../show/paint.ts';
import type { Result } from './results.ts';

/** What a replay found, as lines for people. Pure. */

/** One pass in one line, and what differs below it. */
export function resultLines({ decision, replayed }: Result, paint: Paint): string[] {
  const { time, plan, error, id } = decision;
  const situation = plan?.reason ?? `ended early: ${error?.code}`;
  const outcomes = {
    equal: paint('green', 'equal'),
    different: paint('red', 'different'),
    undecided: paint('dim', 'nothing was decided'),
  };
  const head = `${time}  ${id.slice(0, 8)}  ${situation.padEnd(20)}  ${outcomes[replayed.outcome]}`;
  return [
    head,
    ...(replayed.outcome === 'different'
      ? replayed.differences.flatMap((each) => differenceLines(each, paint))
      : []),
  ];
}

function differenceLines({ part, recorded, replayed }: Difference, paint: Paint): string[] {
  return [
    `    ${part}`,
    paint('red', `      recorded  ${folded(recorded)}`),
    paint('green', `      replayed  ${folded(replayed)}`),
  ];
}

const longestText = 300;
const folded = (text: string) => (text.length > longestText ? `${text.slice(0, longestText)}…` : text);

/** One pass whole: what woke it, what it decided, what came of it, and on request what it saw. */
export function detailLines(result: Result, paint: Paint, withFacts: boolean): string[] {
  const { decision } = result;
  const { plan, error, steps, wokenBy, worker, engine, key } = decision;
  const outcomes = steps.map(
    ({ why, outcome, detail }) => `  ${outcome.padEnd(8)} ${why}${detail ? ` (${detail})` : ''}`,
  );
  return [
    ...resultLines(result, paint),
    paint('dim', `  ${key}, decision ${decision.id} by ${worker}, engine ${engine.name} ${engine.version}`),
    paint('dim', `  woken by ${wokenBy.join(', ') || 'nothing but the time'}`),
    ...(plan ? [`  ${plan.message}`] : []),
    ...(plan?.blocked ? [paint('yellow', `  blocked: ${plan.blocked.rule}: ${plan.blocked.evidence}`)] : []),
    ...outcomes,
    ...(error ? [paint('red', `  ${error.code}: ${error.message}`)] : []),
    ...(withFacts ? factLines(decision) : []),
  ];
}

const factLines = ({ spec, facts }: Decision): string[] =>
  stringify({ spec, facts }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);

/** The passes that differ, where records are missing, and how many there are of each kind. */
export function reportLines(results: readonly Result[], repeats: readonly Repeat[], paint: Paint): string[] {
  const of = (outcome: string) => results.filter(({ replayed }) => replayed.outcome === outcome);
  const counts = [
    paint('green', `${of('equal').length} equal`),
    ...(of('different').length > 0 ? [paint('red', `${of('different').length} different`)] : []),
    ...(of('undecided').length > 0
      ? [`${of('undecided').length} that ended before anything was decided`]
      : []),
  ];
  const repeated = repeats.reduce((sum, { count }) => sum + count, 0);
  return [
    ...of('different').flatMap((result) => resultLines(result, paint)),
    ...holeLines(
      results.map(({ decision }) => decision),
      paint,
    ),
    ...versionLines(results),
    `${results.length} passes replayed: ${counts.join(', ')}${repeated > 0 ? `; ${repeated} more found the same as the pass before` : ''}`,
  ];
}

function holeLines(decisions: Decision[], paint: Paint): string[] {
  return holesIn(decisions).map(({ key, worker, missing, after, before, time }) => {
    const place = after === undefined ? `before ${before}` : `between ${after} and ${before}`;
    const count = missing === 1 ? '1 record is' : `${missing} records are`;
    return paint('yellow', `${count} missing: of ${worker} about ${key}, ${place} (${time})`);
  });
}

/** Which versions of engines were replayed, where they are others than at present. */
function versionLines(results: readonly Result[]): string[] {
  const versions = new Map<string, number>();
  for (const { decision, presentVersion } of results) {
    const { name, version } = decision.engine;
    if (version === presentVersion) continue;
    const how =
      version < presentVersion
        ? `replayed as that decided; it is ${presentVersion} now`
        : `which is newer than this code: replayed as ${presentVersion} decides`;
    const line = `recorded by engine ${name} ${version}, ${how}`;
    versions.set(line, (versions.get(line) ?? 0) + 1);
  }
  return [...versions].map(([line, count]) => `${count} ${line}`);
}
