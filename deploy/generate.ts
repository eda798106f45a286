import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stringify } from 'yaml';
import { engines } from '../libs/engines/index.ts';
import { crdOf } from '../libs/kube/crd.ts';
import type { KubeObject } from '../libs/kube/object.ts';
import { ensurePrograms } from '../services/cli/toolchain/ensure.ts';
import { valuesMarkdown, valuesSchema, valuesYaml } from './chart/documents.ts';
import { decisionJsonSchema, decisionMarkdown, repeatJsonSchema } from './records/documents.ts';
import { settingsMarkdown } from './settings.ts';

/**
 * `npm run generate` writes what follows from the code: the CustomResourceDefinitions of all engines, the values of
 * the Helm chart, the services' settings, and the manifests that the chart renders. With `--check` it writes
 * nothing and fails where a file is not what it should be.
 */
const repository = dirname(import.meta.dirname);
const chart = 'deploy/helm/quorate';
const check = process.argv.includes('--check');
const stale: string[] = [];

function generate(path: string, text: string): void {
  const absolute = join(repository, path);
  if (check) {
    if (readOrEmpty(absolute) !== text) stale.push(path);
    return;
  }
  mkdirSync(dirname(absolute), { recursive: true });
  writeFileSync(absolute, text);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const yamlOf = (object: object) => stringify(object, { lineWidth: 110 });
const madeFromSchemas = `# Generated from the engine's schemas by "npm run generate".\n`;

for (const { resource } of engines) {
  const crd = crdOf(resource);
  const name = `${resource.plural}.${resource.group}`;
  generate(`deploy/crds/${name}.yaml`, `${madeFromSchemas}${yamlOf(crd)}`);
  generate(
    `${chart}/templates/crds/${name}.yaml`,
    `${madeFromSchemas}{{- if .Values.crds.install }}\n${yamlOf(kept(crd))}{{- end }}\n`,
  );
}

/** Without its definition Kubernetes would delete every cluster of the kind, so Helm leaves it in place. */
function kept(crd: KubeObject): KubeObject {
  const { name, ...metadata } = crd.metadata;
  return {
    ...crd,
    metadata: { name, annotations: { 'helm.sh/resource-policy': 'keep' }, ...metadata },
  };
}

generate(`${chart}/values.yaml`, valuesYaml());
generate(`${chart}/values.schema.json`, valuesSchema());
generate('docs/values.md', valuesMarkdown());
generate('docs/decision-record.md', decisionMarkdown());
generate('deploy/schemas/decision.schema.json', decisionJsonSchema());
generate('deploy/schemas/repeat.schema.json', repeatJsonSchema());
generate('docs/settings.md', settingsMarkdown());
generate('deploy/manifests/quorate.yaml', await manifests());

/** The chart with its defaults, for `kubectl apply`. */
async function manifests(): Promise<string> {
  const { helm = '' } = await ensurePrograms(['helm'], console.error);
  const name = 'quorate';
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  };
  // No one version of a PodDisruptionBudget is known to both Kubernetes 1.20 and 1.25.
  const set = ['--set', 'podDisruptionBudgets.enabled=false'];
  const rendered = execFileSync(
    helm,
    ['template', name, join(repository, chart), '--namespace', name, ...set],
    {
      encoding: 'utf8',
    },
  );
  return [
    '# Quorate with NATS and Redis of its own, for a first try: kubectl apply -f quorate.yaml',
    `# Rendered from ${relative(join(repository, 'deploy'), join(repository, chart))} by "npm run generate".`,
    '---',
    `${yamlOf(namespace)}${rendered}`,
  ].join('\n');
}

if (stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}. Run "npm run generate" and commit the result.`);
  process.exit(1);
}
