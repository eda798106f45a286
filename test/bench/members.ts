import { randomBytes } from 'node:crypto';
import type { Kube } from '../../libs/kube/kube.ts';
import { type KubeObject, type ResourceType, resourceTypes } from '../../libs/kube/object.ts';
import { until } from '../wait.ts';

/** How long clusters take to appear and to heal, seen from outside through the Kubernetes API, in milliseconds. */

export const etcdClusters: ResourceType = {
  group: 'etcd.database.coreos.com',
  version: 'v1beta2',
  kind: 'EtcdCluster',
  plural: 'etcdclusters',
  namespaced: true,
};

const namespace = 'default';
const limitMs = 120_000;

export function etcdCluster(name: string, spec: object): KubeObject {
  return {
    apiVersion: `${etcdClusters.group}/${etcdClusters.version}`,
    kind: etcdClusters.kind,
    metadata: { name, namespace },
    spec: { version: '3.4.23', ...spec },
  };
}

/** From the creation of the resource to all pods Ready and the resource Available. */
export async function measureReady(kube: Kube, size: number): Promise<number> {
  const name = `ready-${randomBytes(4).toString('hex')}`;
  const startedMs = performance.now();
  await kube.create(etcdClusters, etcdCluster(name, { size }));
  await whole(kube, name, size);
  const tookMs = performance.now() - startedMs;
  await remove(kube, name);
  return tookMs;
}

export type Cause = 'process killed' | 'pod deleted, with claim' | 'pod deleted, no claim';

/** From the loss of a member to three ready pods again, none of them the one that was lost. */
export async function measureHealing(kube: Kube, cause: Cause, rounds: number): Promise<number[]> {
  const name = `heal-${randomBytes(4).toString('hex')}`;
  const claim = { persistentVolumeClaimSpec: { resources: { requests: { storage: '1Gi' } } } };
  const spec = cause === 'pod deleted, with claim' ? { size: 3, pod: claim } : { size: 3 };
  await kube.create(etcdClusters, etcdCluster(name, spec));
  await whole(kube, name, 3);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const victim = (await pods(kube, name))[round % 3];
    if (!victim) throw new Error(`${name} has no pods`);
    const lostId = incarnation(victim);
    const startedMs = performance.now();
    await take(kube, victim, cause);
    await until(
      `${name} is healed`,
      async () => {
        const present = await pods(kube, name);
        const isNew = present.every((pod) => incarnation(pod) !== lostId);
        return isNew && present.length === 3 && present.every(isReady) && (await isAvailable(kube, name, 3));
      },
      limitMs,
    );
    times.push(performance.now() - startedMs);
  }
  await remove(kube, name);
  return times;
}

async function take(kube: Kube, victim: KubeObject, cause: Cause): Promise<void> {
  const { name, uid = '' } = victim.metadata;
  if (cause === 'process killed') process.kill(hostPid(victim), 'SIGKILL');
  else await kube.delete(resourceTypes.pod, namespace, name, { uid });
}

interface PodStatus {
  containerStatuses?: { restartCount: number; containerID?: string }[];
}

const containerOf = (pod: KubeObject) => (pod['status'] as PodStatus | undefined)?.containerStatuses?.[0];

/** The sandbox names a container after the process it is on this machine. */
function hostPid(pod: KubeObject): number {
  const pid = Number(/^sandbox:\/\/(\d+)$/.exec(containerOf(pod)?.containerID ?? '')?.[1]);
  if (!pid) throw new Error('the pod does not say which process it is: this needs the sandbox');
  return pid;
}

/** Which life of which pod: another after each restart of its container. */
function incarnation(pod: KubeObject): string {
  return `${pod.metadata.uid}/${containerOf(pod)?.restartCount ?? 0}`;
}

async function whole(kube: Kube, name: string, size: number): Promise<void> {
  await until(
    `${name} has ${size} ready members`,
    async () => {
      const present = await pods(kube, name);
      return present.length === size && present.every(isReady) && (await isAvailable(kube, name, size));
    },
    limitMs,
  );
}

async function pods(kube: Kube, name: string): Promise<KubeObject[]> {
  const { items } = await kube.list(resourceTypes.pod, { namespace, labels: { etcd_cluster: name } });
  return items.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

interface Conditions {
  conditions?: { type: string; status: string }[];
  readyMembers?: number;
}

const holds = (object: KubeObject | undefined, type: string): boolean =>
  (object?.['status'] as Conditions | undefined)?.conditions?.some(
    (condition) => condition.type === type && condition.status === 'True',
  ) ?? false;

const isReady = (pod: KubeObject): boolean =>
  pod.metadata.deletionTimestamp === undefined && holds(pod, 'Ready');

async function isAvailable(kube: Kube, name: string, size: number): Promise<boolean> {
  const resource = await kube.get(etcdClusters, namespace, name);
  const readyMembers = (resource?.['status'] as Conditions | undefined)?.readyMembers;
  return holds(resource, 'Available') && readyMembers === size;
}

export async function remove(kube: Kube, name: string): Promise<void> {
  const resource = await kube.get(etcdClusters, namespace, name);
  if (resource) await kube.delete(etcdClusters, namespace, name, { uid: resource.metadata.uid ?? '' });
  await until(`${name} is gone`, async () => (await pods(kube, name)).length === 0, limitMs);
}
