import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As many cases as the whole run does for each definition. */
const wholeCount = 2000;

/** Runs the bad input of a whole run; returns whether all went well, and its section of the report. */
export function runInput(seed: number): { isWell: boolean; section: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-input-'));
  const reportPath = join(folder, 'report.md');
  try {
    const env = {
      ...process.env,
      ...{ FAULTS_CASES: String(wholeCount), FAULTS_SEED: String(seed), FAULTS_REPORT: reportPath },
    };
    const args = ['--test', '--test-timeout=1800000', 'test/faults/input/input.test.ts'];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env });
    const isWell = status === 0;
    const counts = readFileSync(reportPath, 'utf8').trimEnd().split('\n');
    const outcome = `**${isWell ? 'holds' : 'FAILED'}** (${wholeCount} cases a definition, seed ${seed})`;
    return { isWell, section: ['## Bad input', '', outcome, '', ...counts, ''] };
  } catch {
    // It ended before it could tell what it counted, and has said why.
    return { isWell: false, section: ['## Bad input', '', '**FAILED**', ''] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
