import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** What became of one test file. */
export interface FileResult {
  name: string;
  passed: number;
  failed: string[];
  skipped: { test: string; reason: string }[];
  durationMs: number;
}

/** The longest that one test may take, in milliseconds. */
const testTimeoutMs = 300_000;

/**
 * Runs test files, so many at once, each as a process of its own, and prints what happens as `node --test` does:
 * at once where they run one by one, else file by file.
 */
export async function runFiles(
  paths: string[],
  atOnce: number,
  title: (name: string) => void,
  signal: AbortSignal,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const waiting = paths.values();
  const runWaiting = async () => {
    for (const path of waiting) {
      if (signal.aborted) return;
      const { result, report } = startFile(path, signal);
      if (atOnce === 1) {
        title(nameOf(path));
        report.pipe(process.stdout, { end: false });
        await finished(report);
      } else {
        const whole = await text(report);
        title(nameOf(path));
        process.stdout.write(whole);
      }
      results.push(result());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runWaiting));
  return results;
}

function startFile(path: string, signal: AbortSignal) {
  const result: FileResult = { name: nameOf(path), passed: 0, failed: [], skipped: [], durationMs: 0 };
  const startedMs = performance.now();
  const tests = run({ files: [path], concurrency: 1, timeout: testTimeoutMs, signal });
  tests.on('test:pass', ({ name, skip, details }) => {
    if (details.type === 'suite') return;
    if (skip === undefined) result.passed += 1;
    else result.skipped.push({ test: name, reason: String(skip) });
  });
  tests.on('test:fail', ({ name, details }) => {
    if (details.type !== 'suite') result.failed.push(name);
  });
  return {
    report: tests.compose(new spec()),
    /** To be asked for when the report has ended. */
    result: (): FileResult => ({ ...result, durationMs: performance.now() - startedMs }),
  };
}

export const nameOf = (path: string): string => basename(path).replace(/\.test\.ts$/, '');
