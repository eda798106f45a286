import type { EtcdSpec } from './resource.ts';

/** Names and addresses of a cluster's parts. Identity is always a name that DNS gives, never a pod's IP. */

export const clientPort = 2379;
export const peerPort = 2380;

export interface ClusterName {
  namespace: string;
  name: string;
}

/** `<cluster>-<number>`: the name of the member, its pod and its claim. */
export const memberName = (cluster: string, number: number): string => `${cluster}-${number}`;

/** The number in a member's name, or `undefined` where the name is none of this cluster's. */
export function memberNumber(cluster: string, name: string): number | undefined {
  if (!name.startsWith(`${cluster}-`)) return undefined;
  const digits = name.slice(cluster.length + 1);
  return /^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : undefined;
}

/** The DNS name of a member, below the headless service that carries the cluster's name. */
export function memberHost(cluster: ClusterName, spec: EtcdSpec, number: number): string {
  const domain = spec.pod?.ClusterDomain?.replace(/^\.|\.$/g, '') ?? '';
  const host = `${memberName(cluster.name, number)}.${cluster.name}.${cluster.namespace}.svc`;
  return domain === '' ? host : `${host}.${domain}`;
}

export const peerUrl = (cluster: ClusterName, spec: EtcdSpec, number: number): string =>
  `http://${memberHost(cluster, spec, number)}:${peerPort}`;

export const clientUrl = (cluster: ClusterName, spec: EtcdSpec, number: number): string =>
  `http://${memberHost(cluster, spec, number)}:${clientPort}`;

/**
 * The name of the member that etcd lists under these peer URLs: the first label of the host. A member that has
 * not started yet has no name in etcd, but its peer URL says which it will be.
 */
export function nameFromPeerUrls(peerUrls: string[]): string {
  const first = [...peerUrls].sort()[0] ?? '';
  return URL.canParse(first) ? (new URL(first).hostname.split('.')[0] ?? '') : '';
}

/** On a pod: the version it was made for, or was last changed to. The etcd operator of coreos names it so. */
export const versionAnnotation = 'etcd.version';

/**
 * On a pod: the image it was made with, or was last changed to, as it was asked for. Admission may put another in its
 * place, e.g. that of a mirror, and does so again with every change.
 */
export const imageAnnotation = 'quorate.io/image';

/** The container of a member's pod that runs etcd. Admission may add others, before it or behind. */
export const containerName = 'etcd';

/** On a pod whose version was changed: the id of the container that ran then. */
export const changedFromAnnotation = 'quorate.io/changed-from';

export const clientServiceName = (cluster: string): string => `${cluster}-client`;

/**
 * What is wrong with the name of a cluster, if anything. It becomes the name of services (RFC 1035 labels: no
 * dots, a letter first, at most 63 characters with `-client`) and the start of host names.
 */
export function nameProblem(name: string): string | undefined {
  const longest = 63 - '-client'.length;
  if (name.length > longest) return `metadata.name: "${name}" is longer than ${longest} characters`;
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name))
    return `metadata.name: "${name}" must begin with a letter and hold only lower-case letters, digits and dashes`;
  return undefined;
}

/** The version as in the image's tag, without the "v". */
export const plainVersion = (version: string): string => version.replace(/^v/, '');
