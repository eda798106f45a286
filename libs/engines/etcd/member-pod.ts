import { type KubeObject, labels } from '../../kube/object.ts';
import { madeForAnnotation, madeWithAnnotation, podMadeFor, podMadeWith } from './made-for.ts';
import {
  clientPort,
  clientUrl,
  containerName,
  imageAnnotation,
  memberName,
  peerPort,
  peerUrl,
  plainVersion,
  versionAnnotation,
} from './names.ts';
import { type ClusterIdentity, metadata, selector } from './objects.ts';
import type { EtcdSpec } from './resource.ts';

/** The pod of a member, as it should be when it is made. Pure: the same input gives the same object. */

/** How etcd in a pod begins when its data folder is empty; with data in it, etcd ignores this. */
export type Start =
  /** As one of the seeds of a new cluster. */
  | { as: 'seed'; seeds: number[] }
  /** As a member that has just been added to these. */
  | { as: 'joining'; memberUrls: Record<string, string> }
  /** With the data it had. On an empty folder etcd refuses to start, since it cannot find the others. */
  | { as: 'returning' };

function initialCluster(cluster: ClusterIdentity, spec: EtcdSpec, number: number, start: Start): string[] {
  const self = memberName(cluster.name, number);
  const urls: Record<string, string> =
    start.as === 'seed'
      ? Object.fromEntries(
          start.seeds.map((seed) => [memberName(cluster.name, seed), peerUrl(cluster, spec, seed)]),
        )
      : start.as === 'joining'
        ? start.memberUrls
        : { [self]: peerUrl(cluster, spec, number) };
  const members = Object.entries(urls)
    .map(([name, url]) => `${name}=${url}`)
    .sort();
  return [
    `--initial-cluster=${members.join(',')}`,
    `--initial-cluster-state=${start.as === 'seed' ? 'new' : 'existing'}`,
    // A token of its own keeps clusters apart even if a name or an address is used again.
    `--initial-cluster-token=${cluster.uid}`,
  ];
}

/** The variables of every member; those of the spec come behind them. */
export const ownVariables = [
  { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
  { name: 'ETCDCTL_API', value: '3' },
  { name: 'ETCDCTL_ENDPOINTS', value: `http://$(POD_IP):${clientPort}` },
];

export const memberImage = ({ repository, version }: EtcdSpec): string =>
  `${repository}:v${plainVersion(version)}`;

/** A pod of its own host name below the headless service, running one etcd. */
export function memberPod(
  cluster: ClusterIdentity,
  spec: EtcdSpec,
  number: number,
  start: Start,
  claimName: string | undefined,
): KubeObject {
  const policy = spec.pod ?? {};
  const name = memberName(cluster.name, number);
  const meta = metadata(cluster, name);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta,
      labels: { ...policy.labels, ...meta.labels, etcd_node: name, [labels.member]: String(number) },
      annotations: {
        ...policy.annotations,
        [versionAnnotation]: plainVersion(spec.version),
        [imageAnnotation]: memberImage(spec),
        [madeForAnnotation]: podMadeFor(spec),
        [madeWithAnnotation]: JSON.stringify(podMadeWith(spec)),
      },
    },
    spec: {
      hostname: name,
      subdomain: cluster.name,
      restartPolicy: 'Always',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(policy.nodeSelector && { nodeSelector: policy.nodeSelector }),
      ...(policy.tolerations && { tolerations: policy.tolerations }),
      ...(policy.securityContext && { securityContext: policy.securityContext }),
      ...affinity(cluster, spec),
      containers: [
        {
          name: containerName,
          image: memberImage(spec),
          command: [
            'etcd',
            `--name=${name}`,
            '--data-dir=/var/etcd/data',
            `--listen-peer-urls=http://$(POD_IP):${peerPort}`,
            `--listen-client-urls=http://$(POD_IP):${clientPort}`,
            `--initial-advertise-peer-urls=${peerUrl(cluster, spec, number)}`,
            `--advertise-client-urls=${clientUrl(cluster, spec, number)}`,
            ...initialCluster(cluster, spec, number, start),
          ],
          env: [...ownVariables, ...(policy.etcdEnv ?? [])],
          ports: [
            { name: 'client', containerPort: clientPort },
            { name: 'peer', containerPort: peerPort },
          ],
          ...(policy.resources && { resources: policy.resources }),
          // Reaches quorum, so that the client service sends nobody to a member that cannot answer.
          readinessProbe: {
            httpGet: { path: '/health', port: clientPort },
            periodSeconds: 1,
            timeoutSeconds: 3,
            failureThreshold: 3,
          },
          // A member that waits for others at its start answers nothing at all; only one that has served before
          // is judged by liveness, and that without asking for quorum: a restart cannot bring a lost quorum back.
          startupProbe: {
            httpGet: { path: '/version', port: clientPort },
            periodSeconds: 1,
            timeoutSeconds: 3,
            failureThreshold: 1_000_000,
          },
          livenessProbe: {
            httpGet: { path: '/version', port: clientPort },
            periodSeconds: 5,
            timeoutSeconds: 5,
            failureThreshold: 3,
            // One that has been deaf for so long does not hear the request to end either. (Kubernetes before 1.25
            // may not know this field, and waits for the pod's own.)
            terminationGracePeriodSeconds: 5,
          },
          terminationMessagePolicy: 'FallbackToLogsOnError',
          volumeMounts: [{ name: 'etcd-data', mountPath: '/var/etcd' }],
        },
      ],
      volumes: [
        claimName === undefined
          ? { name: 'etcd-data', emptyDir: {} }
          : { name: 'etcd-data', persistentVolumeClaim: { claimName } },
      ],
    },
  };
}

function affinity(cluster: ClusterIdentity, spec: EtcdSpec): { affinity?: object } {
  const policy = spec.pod ?? {};
  if (!policy.antiAffinity) return policy.affinity ? { affinity: policy.affinity } : {};
  const apart = {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { labelSelector: { matchLabels: selector(cluster) }, topologyKey: 'kubernetes.io/hostname' },
    ],
  };
  return { affinity: { ...policy.affinity, podAntiAffinity: apart } };
}
