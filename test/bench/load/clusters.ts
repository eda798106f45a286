import { setTimeout as sleep } from 'node:timers/promises';
import { isError } from '../../../libs/errors/catalogue.ts';
import { formatKey } from '../../../libs/kube/key.ts';
import type { Kube } from '../../../libs/kube/kube.ts';
import { apiVersionOf, type KubeObject, resourceTypes } from '../../../libs/kube/object.ts';
import { until } from '../../wait.ts';
import { engineName } from './engine/plan.ts';
import { benchmarkType } from './engine/resource.ts';
import { inParallel } from './parallel.ts';
import type { Stand } from './stand.ts';

/**
 * How many clusters share a namespace. A list by label costs an API server all objects of its namespace, so nobody
 * keeps thousands of clusters in one.
 */
const perNamespace = 100;
const inFlight = 32;
const createLimitMs = 1_800_000;

export interface Cluster {
  namespace: string;
  name: string;
  /** The key of its task. */
  key: string;
}

export function clusterOf(index: number): Cluster {
  const namespace = `bench-${Math.floor(index / perNamespace)}`;
  const name = `cluster-${index}`;
  return { namespace, name, key: formatKey({ engine: engineName, namespace, name }) };
}

/** Creates the clusters from number `first` on, and waits until each has what it wants and says so. */
export async function createClusters(
  stand: Stand,
  { first, end }: { first: number; end: number },
  progress: (line: string) => void,
): Promise<void> {
  const { kube, membersUrl } = stand;
  const clusters = Array.from({ length: end - first }, (_, index) => clusterOf(first + index));
  for (const namespace of new Set(clusters.map((cluster) => cluster.namespace))) {
    await createNamespace(kube, namespace);
  }
  let created = 0;
  await inParallel(clusters, inFlight, async ({ namespace, name }) => {
    await kube.create(benchmarkType, {
      apiVersion: apiVersionOf(benchmarkType),
      kind: benchmarkType.kind,
      metadata: { namespace, name },
      spec: { value: 'first', memberUrl: `${membersUrl}/${name}` },
    });
    created += 1;
    if (created % 100 === 0) progress(`created ${created} of ${clusters.length} clusters`);
  });
  const last = async () => {
    const { items } = await kube.list(benchmarkType);
    const available = items.filter(isAvailable).length;
    progress(`${available} of ${end} clusters are available`);
    // To list thousands of clusters is work that the others need the machine for.
    if (available < end) await sleep(1000);
    return available >= end;
  };
  await until('every cluster is available', last, createLimitMs);
}

async function createNamespace(kube: Kube, name: string): Promise<void> {
  try {
    await kube.create(resourceTypes.namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  } catch (error) {
    // Clusters of before are in it.
    if (!isError(error, 'KUBE_EXISTS')) throw error;
  }
}

function isAvailable(resource: KubeObject): boolean {
  const { conditions = [] } = (resource['status'] ?? {}) as {
    conditions?: { type: string; status: string }[];
  };
  return conditions.some(({ type, status }) => type === 'Available' && status === 'True');
}
