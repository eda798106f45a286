import { basename } from 'node:path';
import type { SourceFile } from './sources.ts';

/** A place for everything: no grab-bag files, and none that has grown two subjects. */
const grabBags = /^(utils?|helpers?|common|misc|shared)\.ts$/;
const longestFile = 320;
const longestTest = 600;

export function placeFindings(files: SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const findings: string[] = [];
    const lines = text.split('\n').length;
    const longest = path.endsWith('.test.ts') ? longestTest : longestFile;
    if (grabBags.test(basename(path))) findings.push(`${path}: name the one subject it has`);
    if (lines > longest) findings.push(`${path}: ${lines} lines are two subjects; ${longest} are allowed`);
    return findings;
  });
}
