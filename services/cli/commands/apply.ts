import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Engine } from '../../../libs/engine/contract.ts';
import { messageOf, QuorateError } from '../../../libs/errors/catalogue.ts';
import { formatKey } from '../../../libs/kube/key.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';

export interface Kubectl {
  path: string;
  kubeconfigPath: string;
  /** Where it keeps what it learnt of the API, instead of in the user's home. */
  cacheDir: string;
}

/** Applies a file as a user would, and returns the keys of the clusters in it. Throws KUBECTL_FAILED. */
export async function applyFile(
  kubectl: Kubectl,
  file: string,
  engines: readonly Engine[],
): Promise<string[]> {
  const parameters = ['--cache-dir', kubectl.cacheDir, 'apply', '--filename', file, '--output', 'json'];
  let stdout: string;
  try {
    const environment = { ...process.env, KUBECONFIG: kubectl.kubeconfigPath };
    ({ stdout } = await promisify(execFile)(kubectl.path, parameters, {
      env: environment,
      maxBuffer: 64 << 20,
    }));
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || messageOf(error);
    throw new QuorateError('KUBECTL_FAILED', `${file}: ${said}`);
  }
  const applied = JSON.parse(stdout) as KubeObject & { items?: KubeObject[] };
  const objects = applied.kind === 'List' ? (applied.items ?? []) : [applied];
  return objects.flatMap(({ apiVersion, kind, metadata }) => {
    const engine = engines.find(
      ({ resource }) => resource.kind === kind && `${resource.group}/${resource.version}` === apiVersion,
    );
    if (engine === undefined) return [];
    return [
      formatKey({ engine: engine.name, namespace: metadata.namespace ?? 'default', name: metadata.name }),
    ];
  });
}
