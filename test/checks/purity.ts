import { dirname, join, relative } from 'node:path';
import type { SourceFile } from './sources.ts';

/**
 * What decides, and what replays decisions, can reach nothing but other code that computes: followed from these
 * files through everything that they import and that is there at run time. `import type` is not.
 */
const entries = [
  /^libs\/engines\/planners\.ts$/,
  /^libs\/engines\/[^/]+\/planner\.ts$/,
  /^libs\/engine\/(decide|replay|forecast)\.ts$/,
  /^services\/cli\/replay\/(results|lines)\.ts$/,
];

/** Files of ours that may be reached; what observes, acts, or speaks to a server is not among them. */
const pure = [
  /^libs\/errors\//,
  /^libs\/engine\/(?!pass|act|testing)/,
  /^libs\/engines\/planners\.ts$/,
  /^libs\/engines\/[^/]+\/(?!index\.ts|observe\.ts|steps|client\/|testing\/)/,
  /^libs\/kube\/(object|definition|key)\.ts$/,
  /^services\/cli\/(replay\/(results|lines)|show\/paint)\.ts$/,
];

/** What of Node and of packages only computes. */
const pureImports: Record<string, string[] | 'all'> = {
  zod: 'all',
  yaml: 'all',
  'node:crypto': ['createHash'],
  'node:util': ['isDeepStrictEqual', 'styleText'],
};

/** Said in the code of engines, these would be asked when a module is loaded, before the guards of `runPure` stand. */
const ports =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bprocess\.|\bglobalThis\b|\bsetTimeout\b|\bfetch\(/;

export function purityFindings(files: SourceFile[]): string[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const reached = new Map<string, string>();
  const findings: string[] = [];
  const visit = (path: string, from: string) => {
    if (reached.has(path)) return;
    reached.set(path, from);
    const text = texts.get(path) ?? '';
    const said = isEngineCode(path) ? ports.exec(withoutComments(text)) : null;
    if (said)
      findings.push(`${path}: ${said[0]} is out of reach for a plan; \`runPure\` says what to use instead`);
    for (const { names, target } of valueImports(text)) {
      if (target.startsWith('.')) {
        const imported = relative('.', join(dirname(path), target));
        if (pure.some((place) => place.test(imported))) visit(imported, path);
        else findings.push(`${path}: decides or replays, and must not reach ${imported}`);
      } else if (!isPureImport(target, names))
        findings.push(`${path}: decides or replays, and must not import ${names.join(', ')} from ${target}`);
    }
  };
  for (const { path } of files) if (entries.some((entry) => entry.test(path))) visit(path, path);
  return findings;
}

const isEngineCode = (path: string): boolean => path.startsWith('libs/engines/');

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

function isPureImport(target: string, names: string[]): boolean {
  const allowed = pureImports[target];
  return allowed === 'all' || names.every((name) => allowed?.includes(name) === true);
}

/** The imports that are there at run time, with the names that are taken. */
function valueImports(text: string): { names: string[]; target: string }[] {
  const statements = text.matchAll(
    /^(?:import|export) (?!type )([^;'"]*?)from '([^']+)';|^import '([^']+)';|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map(([, clause = 'everything', named, bare, dynamic]) => ({
    names: clause
      .replaceAll(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ')),
    target: named ?? bare ?? dynamic ?? '',
  }));
}
