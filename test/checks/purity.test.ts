import assert from 'node:assert/strict';
import { test } from 'node:test';
import { purityFindings } from './purity.ts';

const planner = 'libs/engines/some/planner.ts';
const findings = (...files: [path: string, text: string][]) =>
  purityFindings(files.map(([path, text]) => ({ path, text })));

test('a plan that can reach I/O is found, however far away, and whoever imports only types is not', () => {
  const reach = (text: string) =>
    findings([planner, `import { a } from './a.ts';`], ['libs/engines/some/a.ts', text]);
  assert.deepEqual(reach(`import type { Kube } from '../../kube/kube.ts';\nimport { z } from 'zod';`), []);
  assert.deepEqual(reach(`import { createHash } from 'node:crypto';`), []);
  const impure = [
    `import { randomUUID } from 'node:crypto';`,
    `import { readFileSync } from 'node:fs';`,
    `import { connectKube } from '../../kube/client.ts';`,
    `import { observe } from './observe.ts';`,
    `import {\n  type EtcdClient,\n} from './client/client.ts';`,
    `export { steps } from './steps/objects.ts';`,
    `const later = () => imp${'ort'}('../../bus/bus.ts');`,
    `import 'undici';`,
    `const begun = Date.now();`,
    `const home = process.env;`,
  ];
  for (const text of impure) assert.equal(reach(text).length, 1, text);
  assert.deepEqual(reach('/** Not Date.now(), never. */\n// process.env neither'), []);
});

test('what replays can reach no client of a server', () => {
  const text = `import { withBus } from '../records/connection.ts';`;
  assert.equal(findings(['services/cli/replay/lines.ts', text]).length, 1);
  assert.equal(
    findings(['services/cli/commands/replay.ts', text]).length,
    0,
    'the command reads the records',
  );
});
