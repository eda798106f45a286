import { writeFile } from 'node:fs/promises';
import type { Plan } from '../plan.ts';
import type { CaseResult } from './case.ts';

const path = 'test/faults/report.md';

/** Writes the report of a full run. The same outcome gives the same text, but for the numbers. */
export async function writeReport(
  plans: readonly Plan[],
  results: readonly CaseResult[],
  writes: Map<string, Map<string, string[]>>,
  input: readonly string[],
): Promise<void> {
  const sections = plans.map((plan) =>
    sectionOf(
      plan,
      results.filter((result) => result.plan === plan.name).sort((a, b) => (a.name < b.name ? -1 : 1)),
      writes.get(plan.name) ?? new Map(),
    ),
  );
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const total = results.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const head = [
    '# Faults: the last full run',
    '',
    'Written by `npm run faults`; [README.md](README.md) says what the plans are made of.',
    '',
    `${results.length} cases of ${plans.length} plans, ${failed} failed. Clients wrote all the time: of ${total} acknowledged writes and deletions none was lost and none undone, but where it says so below.`,
    '',
  ];
  await writeFile(path, `${[...head, ...sections.flat(), ...input].join('\n').trimEnd()}\n`);
}

function sectionOf(
  { name, about }: Plan,
  results: readonly CaseResult[],
  writes: Map<string, string[]>,
): string[] {
  const failed = results.filter(({ failure }) => failure !== undefined);
  const outcome = failed.length === 0 ? 'holds' : 'FAILED';
  const seconds = (results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(0);
  const count = results.length === 1 ? '' : `${results.length} cases, `;
  return [
    `## ${name}`,
    '',
    about,
    '',
    `**${outcome}** (${count}${seconds} s)`,
    '',
    ...failed.flatMap((result) => [`- ${result.name}: ${result.failure?.split('\n')[0]}`]),
    ...results.flatMap(({ remarks }) => remarks.map((remark) => `- ${remark}`)),
    ...sweepTable(results, writes),
    '',
  ];
}

/** Mostly the worker finds out that it has lost its lock and hangs up when the write is on its way. */
const answerOf = (answer: string): string =>
  answer.startsWith('no answer') ? 'it hung up before the answer' : `answer: ${answer}`;

/** Each write of each scenario, and in which ways a worker was struck at it. */
function sweepTable(results: readonly CaseResult[], writes: Map<string, string[]>): string[] {
  const rows = [...writes].flatMap(([scenario, all]) =>
    all.map((write, index) => {
      const here = results.flatMap(({ name, struck, failure }) =>
        struck
          .filter((each) => each.scenario === scenario && each.number === index + 1)
          .map(({ answer }) => ({ how: name.split('/')[1] ?? '', answer, failed: failure !== undefined })),
      );
      const cell = (how: string) => {
        const found = here.find((each) => each.how === how);
        if (found === undefined) return 'not reached';
        if (found.failed) return 'FAILED';
        return found.answer === undefined ? 'same end' : `same end (${answerOf(found.answer)})`;
      };
      const cells = ['kill-before', 'kill-after', 'stop-before'].map(cell);
      return `| ${scenario} | ${index + 1} | ${write} | ${cells.join(' | ')} |`;
    }),
  );
  if (rows.length === 0) return [];
  const struck = results.reduce((sum, each) => sum + each.struck.length, 0);
  return [
    '',
    `${rows.length} writes; ${struck} times a worker was struck at one.`,
    '',
    '| scenario | | write | killed before | killed after | stopped before, then sent late |',
    '|---|---|---|---|---|---|',
    ...rows,
  ];
}
