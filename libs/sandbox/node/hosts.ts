import type { KubeObject } from '../../kube/object.ts';
import { podSpecOf, podStatusOf } from './spec.ts';

interface ServiceSpec {
  clusterIP?: string;
  selector?: Record<string, string>;
  publishNotReadyAddresses?: boolean;
}

/** An address and the names it answers to inside one namespace's pods. */
type Names = Map<string, Set<string>>;

/**
 * The names that a cluster's DNS would serve, as lines of a hosts file: services by their address, headless services
 * by those of their pods, and pods with a hostname and the service as subdomain. `namespace` is the reader's, in
 * which the short forms hold. Sorted, so equal input gives equal text.
 */
export function serviceHosts(services: KubeObject[], pods: KubeObject[], namespace: string): string {
  const names: Names = new Map();
  for (const service of services) {
    const spec = (service['spec'] ?? {}) as ServiceSpec;
    const { name, namespace: home = '' } = service.metadata;
    const local = home === namespace;
    if (spec.clusterIP && spec.clusterIP !== 'None') add(names, spec.clusterIP, forms(name, home, local));
    if (spec.clusterIP !== 'None' || !spec.selector) continue;
    for (const pod of pods) {
      const address = podStatusOf(pod).podIP;
      if (!address || pod.metadata.namespace !== home || !selects(spec.selector, pod)) continue;
      if (isFinished(pod) || !(spec.publishNotReadyAddresses || isReady(pod))) continue;
      const { hostname, subdomain } = podSpecOf(pod);
      if (hostname && subdomain === name) add(names, address, forms(`${hostname}.${name}`, home, local));
      add(names, address, forms(name, home, local));
    }
  }
  return [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([address, all]) => `${address}\t${[...all].join(' ')}\n`)
    .join('');
}

/** A pod's whole hosts file: itself first, then what `serviceHosts` gave for its namespace. */
export function podHosts(pod: KubeObject, serviceLines: string): string {
  const { subdomain } = podSpecOf(pod);
  const hostname = hostnameOf(pod);
  const full = subdomain ? `${hostname}.${subdomain}.${pod.metadata.namespace}.svc.cluster.local ` : '';
  const self = `${podStatusOf(pod).podIP}\t${full}${hostname}\n`;
  return `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${self}${serviceLines}`;
}

/** A pod's host name: the one it asks for, else its own name, cut to what a host name may be. */
export function hostnameOf(pod: KubeObject): string {
  return podSpecOf(pod).hostname ?? pod.metadata.name.slice(0, 63).replace(/[-.]+$/, '');
}

function forms(name: string, namespace: string, local: boolean): string[] {
  const full = [`${name}.${namespace}.svc.cluster.local`, `${name}.${namespace}.svc`, `${name}.${namespace}`];
  return local ? [...full, name] : full;
}

function add(names: Names, address: string, more: string[]): void {
  names.set(address, new Set([...(names.get(address) ?? []), ...more]));
}

function selects(selector: Record<string, string>, pod: KubeObject): boolean {
  return Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value);
}

function isReady(pod: KubeObject): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return (podStatusOf(pod).conditions ?? []).some(
    (condition) => condition.type === 'Ready' && condition.status === 'True',
  );
}

function isFinished(pod: KubeObject): boolean {
  const phase = podStatusOf(pod).phase;
  return phase === 'Succeeded' || phase === 'Failed';
}
