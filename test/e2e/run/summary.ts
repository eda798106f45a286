import { styleText } from 'node:util';
import type { FileResult } from './files.ts';

/** The lines of a summary of all files: one each, then what failed and what was skipped, and why. Pure. */
export function summaryOf(results: readonly FileResult[]): string[] {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(({ name, passed, failed, skipped, durationMs }) => {
    const counts = [
      `${passed} passed`,
      ...(failed.length > 0 ? [`${failed.length} failed`] : []),
      ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
    ].join(', ');
    const mark = failed.length > 0 ? styleText('red', '✖') : styleText('green', '✔');
    return `${mark} ${name.padEnd(width)}  ${seconds(durationMs).padStart(5)} s  ${counts}`;
  });
  const failed = results.flatMap(({ name, failed }) => failed.map((test) => `  ${name}: ${test}`));
  const skipped = results.flatMap(({ name, skipped }) =>
    skipped.map(({ test, reason }) => `  ${name}: ${test} (${reason})`),
  );
  return [
    ...lines,
    ...(failed.length > 0 ? ['', 'Failed:', ...failed] : []),
    ...(skipped.length > 0 ? ['', 'Skipped:', ...skipped] : []),
  ];
}

const seconds = (durationMs: number): string => (durationMs / 1000).toFixed(0);
