import { testNamespaceLabels } from '../bench/bench.ts';
import { type Helm, releaseName } from '../bench/helm.ts';
import type { Kubectl } from '../bench/kubectl.ts';

/** Where the tests install Quorate. */
export const operatorNamespace = 'quorate-e2e';
/** What helm needs to be told to install Quorate from this image, with servers that keep nothing. */
export function chartArguments(image: string, more: readonly string[]): string[] {
  const colon = image.lastIndexOf(':');
  return [
    ...['deploy/helm/quorate', '--namespace', operatorNamespace, '--wait', '--timeout', '3m'],
    ...['--set', `image.repository=${image.slice(0, colon)}`, '--set', `image.tag=${image.slice(colon + 1)}`],
    ...['--set', 'nats.persistence.enabled=false', '--set', 'redis.persistence.enabled=false'],
    ...more,
  ];
}

/**
 * Installs Quorate for all namespaces. Throws where clusters are there already: it would take over what another
 * Quorate looks after.
 */
export async function install(kubectl: Kubectl, helm: Helm, chart: string[]): Promise<void> {
  const present = (await hasCrd(kubectl)) ? await kubectl.list('etcdclusters', '--all-namespaces') : [];
  if (present.length > 0) {
    const names = present.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');
    throw new Error(`this Kubernetes has clusters, which the tests would take over: ${names}`);
  }
  await kubectl.feed('create', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: operatorNamespace, labels: testNamespaceLabels() },
  });
  // The CRD stays when a release goes, and may be there from an earlier one.
  await helm('install', releaseName, '--take-ownership', ...chart);
}

const crd = 'etcdclusters.etcd.database.coreos.com';

export const hasCrd = async (kubectl: Kubectl): Promise<boolean> =>
  (await kubectl.get('crd', crd)) !== undefined;

/** Takes away whatever tests and `install` have made; the CRD, with all clusters, where that is not kept. */
export async function cleanUp(
  kubectl: Kubectl,
  helm: Helm | undefined,
  keep: { crd: boolean },
): Promise<void> {
  // Clusters first, as the ones they would miss are their operator's.
  if (!keep.crd) await kubectl.run('delete', 'crd', crd, '--ignore-not-found', '--timeout=60s');
  await helm?.('uninstall', releaseName, '--namespace', operatorNamespace, '--ignore-not-found', '--wait');
  const ours = Object.entries(testNamespaceLabels()).map((label) => label.join('='));
  await kubectl.run('delete', 'namespaces', '-l', ours.join(','), '--timeout=120s');
}
