import { basename } from 'node:path';
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

/** Runs one test file as a process of its own, printing what happens as `node --test` does. */
export async function runFile(path: string, signal: AbortSignal): Promise<FileResult> {
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
  const report = tests.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report);
  result.durationMs = performance.now() - startedMs;
  return result;
}

export const nameOf = (path: string): string => basename(path).replace(/\.test\.ts$/, '');
