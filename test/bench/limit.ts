import { randomBytes } from 'node:crypto';
import { memberPod } from '../../libs/engines/etcd/member-pod.ts';
import { headlessService } from '../../libs/engines/etcd/objects.ts';
import { etcdSpec } from '../../libs/engines/etcd/resource.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { type KubeObject, type ResourceType, resourceTypes } from '../../libs/kube/object.ts';
import { until } from '../wait.ts';
import { arePodsReady, claimPolicy, deletePod, measureLoss, namespace, pods } from './members.ts';

/**
 * The limit to measure against: the same etcd in a plain parallel StatefulSet, which knows nothing of quorum. Its
 * pods are ours in everything but their names: image, flags, probes, volume.
 */

const statefulSets: ResourceType = {
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  namespaced: true,
};

/** From the creation of the StatefulSet to three pods Ready. */
export async function measureLimitReady(kube: Kube): Promise<number> {
  const name = `limit-${randomBytes(4).toString('hex')}`;
  const startedMs = performance.now();
  await createSet(kube, name, false);
  const tookMs = performance.now() - startedMs;
  await removeSet(kube, name);
  return tookMs;
}

/** From the deletion of a pod that has a claim to three pods Ready. */
export async function openLimit(kube: Kube): Promise<{
  heal(round: number): Promise<number>;
  close(): Promise<void>;
}> {
  const name = `limit-${randomBytes(4).toString('hex')}`;
  await createSet(kube, name, true);
  return {
    heal: (round) =>
      measureLoss(
        kube,
        name,
        round,
        (victim) => deletePod(kube, victim),
        async () => true,
      ),
    close: () => removeSet(kube, name),
  };
}

async function createSet(kube: Kube, name: string, withClaims: boolean): Promise<void> {
  const cluster = { namespace, name, uid: name };
  const withoutOwner = ({ metadata, ...rest }: KubeObject): KubeObject => ({
    ...rest,
    metadata: { name: metadata.name, namespace },
  });
  await kube.create(resourceTypes.service, withoutOwner(headlessService(cluster)));
  await kube.create(statefulSets, statefulSet(name, withClaims));
  await until(`${name} is ready`, () => arePodsReady(kube, name, 3), 120_000);
}

function statefulSet(name: string, withClaims: boolean): KubeObject {
  const cluster = { namespace, name, uid: name };
  const spec = etcdSpec.parse({ size: 3, version: '3.4.23' });
  // Made for number 4, so that only what speaks of this one member holds that number.
  const own = `${name}-4`;
  const seeds = [0, 1, 2];
  const pod = memberPod(cluster, spec, 4, { as: 'seed', seeds }, withClaims ? 'etcd-data' : undefined);
  const podSpec = JSON.parse(JSON.stringify(pod['spec']).replaceAll(own, '$(POD_NAME)')) as {
    hostname?: string;
    subdomain?: string;
    volumes?: object[];
    containers: { env: object[] }[];
  };
  delete podSpec.hostname;
  delete podSpec.subdomain;
  if (withClaims) delete podSpec.volumes;
  podSpec.containers[0]?.env.unshift({
    name: 'POD_NAME',
    valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
  });
  const labels = { app: 'etcd', etcd_cluster: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace },
    spec: {
      replicas: 3,
      serviceName: name,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec },
      ...(withClaims && {
        volumeClaimTemplates: [
          {
            metadata: { name: 'etcd-data' },
            spec: { accessModes: ['ReadWriteOnce'], ...claimPolicy.persistentVolumeClaimSpec },
          },
        ],
      }),
    },
  };
}

async function removeSet(kube: Kube, name: string): Promise<void> {
  for (const type of [statefulSets, resourceTypes.service]) {
    const found = await kube.get(type, namespace, name);
    if (found) await kube.delete(type, namespace, name, { uid: found.metadata.uid ?? '' });
  }
  await until(`${name} is gone`, async () => (await pods(kube, name)).length === 0, 120_000);
}
