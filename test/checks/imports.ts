import { dirname, join, relative } from 'node:path';
import type { SourceFile } from './sources.ts';

/**
 * Imports point one way, and each library of others has one place. What a folder may import is written here;
 * everything else is a finding.
 */
const mayImport: Record<string, string[]> = {
  'libs/errors': [],
  'libs/service': ['libs/errors'],
  'libs/kube': ['libs/errors', 'libs/service'],
  'libs/bus': ['libs/errors', 'libs/service', 'libs/kube/key.ts', 'libs/kube/object.ts'],
  'libs/queue': ['libs/errors', 'libs/service'],
  'libs/engine': ['libs/errors', 'libs/kube'],
  'libs/engines': ['libs/errors', 'libs/engine', 'libs/kube/object.ts', 'libs/kube/definition.ts'],
  'libs/sandbox': ['libs/errors', 'libs/service', 'libs/kube/object.ts', 'libs/kube/models.ts'],
  'services/watcher': ['libs'],
  'services/worker': ['libs'],
  'services/observer': ['libs'],
  'services/cli': ['libs'],
  deploy: ['libs', 'services/cli/toolchain', 'services/watcher/settings.ts', 'services/worker/settings.ts'],
  test: ['libs', 'services', 'deploy'],
};

/** Packages that stay behind one library of ours. */
const keptBehind: Record<string, string[]> = {
  '@kubernetes/client-node': ['libs/kube'],
  undici: ['libs/kube', 'libs/sandbox', 'test'],
  '@nats-io/': ['libs/bus', 'test'],
  bullmq: ['libs/queue', 'test'],
  ioredis: ['libs/queue', 'test'],
  '@grpc/': ['libs/engines'],
  'prom-client': ['libs/service', 'services'],
  '@opentelemetry/': ['libs/service/trace-export.ts'],
};

export function importFindings(files: SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    [
      ...text.matchAll(/^(?:import|export)[^'"]*?from '([^']+)';|^import '([^']+)';|\bimport\('([^']+)'\)/gm),
    ].flatMap((match) => {
      const target = match[1] ?? match[2] ?? match[3] ?? '';
      const finding = target.startsWith('.') ? ownFinding(path, target) : packageFinding(path, target);
      return finding === undefined ? [] : [`${path}: ${finding}`];
    }),
  );
}

const within = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);

function placeOf(path: string): string | undefined {
  return Object.keys(mayImport).find((place) => within(path, place));
}

function ownFinding(path: string, target: string): string | undefined {
  if (!/\.(ts|json)$/.test(target)) return `imports ${target} without its extension`;
  const place = placeOf(path);
  const imported = relative('.', join(dirname(path), target));
  if (place === undefined) return 'lies in no place that test/checks/imports.ts knows';
  // A test may use the tools of test/ wherever it lies.
  if (within(imported, place) || (isTest(path) && within(imported, 'test'))) return undefined;
  const allowed = mayImport[place] ?? [];
  return allowed.some((each) => within(imported, each)) ? undefined : `${place} must not import ${imported}`;
}

function packageFinding(path: string, target: string): string | undefined {
  const kept = Object.entries(keptBehind).find(([name]) => target === name || target.startsWith(name));
  if (!kept) return undefined;
  return kept[1].some((place) => within(path, place)) ? undefined : `${target} stays behind ${kept[1][0]}`;
}

const isTest = (path: string): boolean => path.endsWith('.test.ts');
