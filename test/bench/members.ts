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

/** Everything of the benchmark happens here; it is made at the start and deleted at the end. */
export const namespace = 'quorate-bench';
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
  const { heal, close } = await openHealing(kube, cause);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await heal(round));
  await close();
  return times;
}

/** A cluster that can be hurt and watched many times. */
export async function openHealing(kube: Kube, cause: Cause) {
  const name = `heal-${randomBytes(4).toString('hex')}`;
  const spec = cause === 'pod deleted, with claim' ? { size: 3, pod: claimPolicy } : { size: 3 };
  await kube.create(etcdClusters, etcdCluster(name, spec));
  await whole(kube, name, 3);
  const lose = (victim: KubeObject) => take(kube, victim, cause);
  return {
    heal: (round: number) => measureLoss(kube, name, round, lose, () => isAvailable(kube, name, 3)),
    close: () => remove(kube, name),
  };
}

/** For members that keep their data when their pod goes. */
export const claimPolicy = {
  persistentVolumeClaimSpec: { resources: { requests: { storage: '1Gi' } } },
};

/** From the loss of one of the three pods of `name` to three ready ones, none of them the one that was lost. */
export async function measureLoss(
  kube: Kube,
  name: string,
  round: number,
  lose: (victim: KubeObject) => Promise<void>,
  isWell: () => Promise<boolean>,
): Promise<number> {
  const victim = (await pods(kube, name))[round % 3];
  if (!victim) throw new Error(`${name} has no pods`);
  const lostId = incarnation(victim);
  const startedMs = performance.now();
  await lose(victim);
  await until(
    `${name} is healed`,
    async () => {
      const present = await pods(kube, name);
      const isNew = present.every((pod) => incarnation(pod) !== lostId);
      return isNew && present.length === 3 && present.every(isReady) && (await isWell());
    },
    limitMs,
  );
  return performance.now() - startedMs;
}

async function take(kube: Kube, victim: KubeObject, cause: Cause): Promise<void> {
  if (cause === 'process killed') process.kill(hostPid(victim), 'SIGKILL');
  else await deletePod(kube, victim);
}

export async function deletePod(kube: Kube, { metadata }: KubeObject): Promise<void> {
  await kube.delete(resourceTypes.pod, namespace, metadata.name, { uid: metadata.uid ?? '' });
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
      const areReady = await arePodsReady(kube, name, size);
      return areReady && (await isAvailable(kube, name, size));
    },
    limitMs,
  );
}

export async function arePodsReady(kube: Kube, name: string, size: number): Promise<boolean> {
  const present = await pods(kube, name);
  return present.length === size && present.every(isReady);
}

export async function pods(kube: Kube, name: string): Promise<KubeObject[]> {
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
