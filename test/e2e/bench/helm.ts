import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Bench } from './bench.ts';

const run = promisify(execFile);

/** The name of the release by which the tests install Quorate. */
export const releaseName = 'quorate';

/** Helm, for the Kubernetes of one kubeconfig. Returns what it printed; throws an error with what it said. */
export type Helm = (...args: string[]) => Promise<string>;

export function createHelm(program: string, kubeconfigPath: string): Helm {
  return async (...args) => {
    const { stdout } = await run(program, ['--kubeconfig', kubeconfigPath, ...args], { timeout: 300_000 });
    return stdout;
  };
}

/** Helm for the Kubernetes of a bench; it fails on the sandbox, which has no use for it. */
export function helmOf({ kubernetes }: Bench): Helm {
  return createHelm(
    process.env['HELM'] ?? 'helm',
    kubernetes.kind === 'real' ? kubernetes.kubeconfig : '/dev/null',
  );
}
