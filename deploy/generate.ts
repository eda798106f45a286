import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { engines } from '../libs/engines/index.ts';
import { crdOf } from '../libs/kube/crd.ts';

/**
 * Writes the CustomResourceDefinitions of all engines to `deploy/crds/`. With `--check` it writes nothing and
 * fails where a file is not what the schemas say: `npm run crds` mends it.
 */
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const { resource } of engines) {
  const path = join(import.meta.dirname, 'crds', `${resource.plural}.${resource.group}.yaml`);
  const text = `# Generated from the engine's schemas by "npm run crds".\n${stringify(crdOf(resource), { lineWidth: 110 })}`;
  if (!check) writeFileSync(path, text);
  else if (readOrEmpty(path) !== text) stale.push(path);
}
if (stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}. Run "npm run crds" and commit the result.`);
  process.exit(1);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
