import { type KubeObject, labels, type OwnerReference } from '../../kube/object.ts';
import { claimMadeFor, madeForAnnotation } from './made-for.ts';
import { type ClusterName, clientPort, clientServiceName, memberName, peerPort } from './names.ts';
import { type EtcdSpec, etcdResource } from './resource.ts';

/**
 * The Kubernetes objects of a cluster, as they should be. Pure: the same input gives the same object. The pods of its
 * members have a file of their own.
 */

export interface ClusterIdentity extends ClusterName {
  uid: string;
}

export const selector = (cluster: ClusterName): Record<string, string> => ({
  app: 'etcd',
  etcd_cluster: cluster.name,
});

const ownLabels = (cluster: ClusterName): Record<string, string> => ({
  ...selector(cluster),
  [labels.managedBy]: labels.managedByValue,
  [labels.engine]: 'etcd',
  [labels.cluster]: cluster.name,
});

const ownerReference = (cluster: ClusterIdentity): OwnerReference => ({
  apiVersion: `${etcdResource.group}/${etcdResource.version}`,
  kind: etcdResource.kind,
  name: cluster.name,
  uid: cluster.uid,
  controller: true,
  blockOwnerDeletion: true,
});

export const metadata = (cluster: ClusterIdentity, name: string) => ({
  name,
  namespace: cluster.namespace,
  labels: ownLabels(cluster),
  ownerReferences: [ownerReference(cluster)],
});

/** Names for the members; unready ones are published, because members must find each other before they are ready. */
export function headlessService(cluster: ClusterIdentity): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(cluster, cluster.name),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selector(cluster),
      ports: [
        { name: 'client', port: clientPort, targetPort: clientPort, protocol: 'TCP' },
        { name: 'peer', port: peerPort, targetPort: peerPort, protocol: 'TCP' },
      ],
    },
  };
}

/** The address for clients: ready members only. */
export function clientService(cluster: ClusterIdentity): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(cluster, clientServiceName(cluster.name)),
    spec: {
      selector: selector(cluster),
      ports: [{ name: 'client', port: clientPort, targetPort: clientPort, protocol: 'TCP' }],
    },
  };
}

/** What of a service matters to us, as text: a service whose shape differs from the wanted one is applied again. */
export function serviceShape(service: KubeObject): string {
  const spec = (service['spec'] ?? {}) as {
    clusterIP?: string;
    publishNotReadyAddresses?: boolean;
    selector?: Record<string, string>;
    ports?: { name?: string; port?: number; targetPort?: number | string }[];
  };
  const ports = (spec.ports ?? []).map((port) => `${port.name ?? ''}:${port.port}>${port.targetPort}`).sort();
  const selected = Object.entries(spec.selector ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .sort();
  const kind = spec.clusterIP === 'None' ? 'headless' : 'virtual';
  const published = spec.publishNotReadyAddresses ? 'all' : 'ready';
  return [kind, published, selected.join(','), ports.join(',')].join(' ');
}

/** The claim that keeps a member's data, or `undefined` where the members of this cluster have none. */
export function memberClaim(
  cluster: ClusterIdentity,
  spec: EtcdSpec,
  number: number,
): KubeObject | undefined {
  const claimSpec = spec.pod?.persistentVolumeClaimSpec;
  if (claimSpec === undefined) return undefined;
  const meta = metadata(cluster, memberName(cluster.name, number));
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...meta,
      labels: { ...meta.labels, [labels.member]: String(number) },
      annotations: { [madeForAnnotation]: claimMadeFor(spec) ?? '' },
    },
    spec: { accessModes: ['ReadWriteOnce'], ...claimSpec },
  };
}
