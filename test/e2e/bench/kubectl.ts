import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import type { KubeObject } from '../../../libs/kube/object.ts';

const run = promisify(execFile);

/** kubectl, to speak to one Kubernetes as a person would. */
export interface Kubectl {
  readonly kubeconfigPath: string;
  /** Runs it and returns what it printed; throws an error with what it said (`stderr`) when it fails. */
  run(...args: string[]): Promise<string>;
  /** Runs one of its verbs that take a file, e.g. `apply`, with this manifest. */
  feed(verb: string, manifest: object, ...args: string[]): Promise<string>;
  /** `undefined` where there is none. */
  get(kind: string, name: string, ...args: string[]): Promise<KubeObject | undefined>;
  list(kind: string, ...args: string[]): Promise<KubeObject[]>;
}

export function createKubectl(program: string, kubeconfigPath: string): Kubectl {
  const start = (args: string[]) =>
    run(program, ['--kubeconfig', kubeconfigPath, ...args], {
      maxBuffer: 64 * 1024 * 1024,
      timeout: 120_000,
    });
  const runOnce = async (...args: string[]) => (await start(args)).stdout;
  return {
    kubeconfigPath,
    run: runOnce,
    async feed(verb, manifest, ...args) {
      const promise = start([verb, '-f', '-', ...args]);
      promise.child.stdin?.end(JSON.stringify(manifest));
      return (await promise).stdout;
    },
    async get(kind, name, ...args) {
      const text = await runOnce('get', kind, name, '--ignore-not-found', '-o', 'json', ...args);
      return text === '' ? undefined : (JSON.parse(text) as KubeObject);
    },
    async list(kind, ...args) {
      const text = await runOnce('get', kind, '-o', 'json', ...args);
      return (JSON.parse(text) as { items: KubeObject[] }).items;
    },
  };
}

/** Writes a copy of a kubeconfig, its present context alone, whose namespace is the given one. */
export async function copyKubeconfig(from: Kubectl, namespace: string, path: string): Promise<void> {
  const text = await from.run('config', 'view', '--raw', '--flatten', '--minify', '-o', 'yaml');
  const config = parse(text) as { contexts: { context: { namespace?: string } }[] };
  for (const { context } of config.contexts) context.namespace = namespace;
  await writeFile(path, stringify(config), { mode: 0o600 });
}
