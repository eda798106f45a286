import { spawnSync } from 'node:child_process';
import { styleText } from 'node:util';
import { ensurePrograms } from '../services/cli/toolchain/ensure.ts';
import { programsNeeded, programVariables } from '../services/cli/toolchain/programs.ts';

/**
 * `npm test`: everything, in the order in which a failure is cheapest to find. `npm test -- unit` (or checks,
 * servers, e2e, faults) runs one part.
 */
const node = process.execPath;
const parts: Record<string, [title: string, command: string[]][]> = {
  checks: [
    ['types', ['node_modules/.bin/tsc', '--noEmit']],
    ['lint and format', ['node_modules/.bin/biome', 'check', '--error-on-warnings', '.']],
    ['rules of the project', [node, 'test/checks/run.ts']],
    ['generated files', [node, 'deploy/generate.ts', '--check']],
  ],
  unit: [
    [
      'unit tests',
      tests(
        2,
        'libs/**/*.test.ts',
        'services/**/*.test.ts',
        'test/checks/**/*.test.ts',
        'test/recordings/*.test.ts',
        'test/e2e/{rights,run}/*.test.ts',
        'test/faults/run/*.test.ts',
      ),
    ],
  ],
  servers: [
    [
      'contract and integration tests',
      tests(2, 'test/contract/**/*.test.ts', 'test/integration/**/*.test.ts'),
    ],
  ],
  e2e: [['end-to-end tests', [node, 'test/e2e/main.ts']]],
  faults: [
    ['faults, the quick part', [node, 'test/faults/main.ts', '--quick']],
    ['faults, bad input', tests(1, 'test/faults/input/*.test.ts')],
  ],
};

function tests(concurrency: number, ...globs: string[]): string[] {
  return [node, '--test', `--test-concurrency=${concurrency}`, '--test-timeout=300000', ...globs];
}

const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !(part in parts));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}. There are ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}

const needed = programsNeeded({ kube: false, nats: false, redis: false });
// The tests bring their own Kubernetes; "npm run e2e" is for any other.
const { KUBECONFIG, ...ownEnvironment } = process.env;
const environment = { ...ownEnvironment, ...programVariables(await ensurePrograms(needed, console.log)) };
const startedMs = performance.now();
for (const [title, [command = '', ...args]] of (asked.length > 0 ? asked : Object.keys(parts)).flatMap(
  (part) => parts[part] ?? [],
)) {
  console.log(styleText('bold', `\n── ${title}`));
  const begunMs = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: environment });
  const seconds = ((performance.now() - begunMs) / 1000).toFixed(1);
  if (status !== 0) {
    console.error(styleText('red', `${title} failed after ${seconds} s`));
    process.exit(1);
  }
  console.log(styleText('dim', `${title}: ${seconds} s`));
}
console.log(
  styleText('green', `\nAll is well after ${((performance.now() - startedMs) / 1000).toFixed(0)} s.`),
);
