import { type KubeObject, type ResourceType, resourceTypes } from '../../kube/object.ts';
import { isSameResource } from '../api/history.ts';
import { type JsonObject, listOf, objectOf, valueAt } from '../api/json.ts';
import type { Store } from '../store.ts';

export const endpointsType: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  namespaced: true,
};

/** Keeps for every service with a selector the Endpoints of the same name: the pods it selects, by readiness. */
export function startEndpoints(store: Store): () => void {
  const sync = (service: KubeObject): void => {
    if (!isObjectWithFields(valueAt(service, 'spec', 'selector'))) return;
    const { namespace, name, labels } = service.metadata;
    const subsets = subsetsOf(service, store.list(resourceTypes.pod, namespace));
    const metadata = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
    };
    if (!store.get(endpointsType, namespace, name)) {
      store.create(endpointsType, { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets });
    } else store.update(endpointsType, namespace, name, (current) => ({ ...current, subsets }));
  };
  return store.watch(({ type, resource, object, previous }) => {
    const { namespace, name } = object.metadata;
    if (isSameResource(resource, resourceTypes.service)) {
      if (type === 'DELETED') store.delete(endpointsType, namespace, name);
      else sync(object);
    } else if (isSameResource(resource, resourceTypes.pod)) {
      for (const service of store.list(resourceTypes.service, namespace)) {
        if (selects(service, object) || (previous && selects(service, previous))) sync(service);
      }
    }
  });
}

function isObjectWithFields(value: unknown): boolean {
  return Object.keys(objectOf(value)).length > 0;
}

function selects(service: KubeObject, pod: KubeObject): boolean {
  const selector = Object.entries(objectOf(valueAt(service, 'spec', 'selector')));
  return selector.length > 0 && selector.every(([key, value]) => pod.metadata.labels?.[key] === value);
}

/** The subsets of a service's Endpoints: pods with an address that have not finished, one subset per set of ports. */
export function subsetsOf(service: KubeObject, pods: KubeObject[]): JsonObject[] {
  const publishAll = valueAt(service, 'spec', 'publishNotReadyAddresses') === true;
  const subsets = new Map<string, { ready: JsonObject[]; notReady: JsonObject[]; ports: JsonObject[] }>();
  for (const pod of pods) {
    const phase = valueAt(pod, 'status', 'phase');
    if (!selects(service, pod) || !valueAt(pod, 'status', 'podIP')) continue;
    if (phase === 'Succeeded' || phase === 'Failed') continue;
    if (pod.metadata.deletionTimestamp && !publishAll) continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const subset = subsets.get(key) ?? { ready: [], notReady: [], ports };
    subsets.set(key, subset);
    (publishAll || isReady(pod) ? subset.ready : subset.notReady).push(addressOf(service, pod));
  }
  return [...subsets.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ready, notReady, ports }]) => ({
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    }));
}

function isReady(pod: KubeObject): boolean {
  const conditions = listOf(valueAt(pod, 'status', 'conditions')).map(objectOf);
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** A pod has a name of its own within the service when its `subdomain` is the service. */
function addressOf(service: KubeObject, pod: KubeObject): JsonObject {
  const { hostname, subdomain, nodeName } = objectOf(pod['spec']);
  const { namespace, name, uid } = pod.metadata;
  return {
    ip: valueAt(pod, 'status', 'podIP'),
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function portsOf(service: KubeObject, pod: KubeObject): JsonObject[] {
  const containers = listOf(valueAt(pod, 'spec', 'containers')).map(objectOf);
  const named = containers.flatMap((container) => listOf(container['ports']).map(objectOf));
  return listOf(valueAt(service, 'spec', 'ports'))
    .map(objectOf)
    .flatMap(({ name, port, targetPort, protocol }) => {
      const target =
        typeof targetPort === 'string'
          ? named.find((each) => each['name'] === targetPort)?.['containerPort']
          : (targetPort ?? port);
      // A pod without a port of that name does not serve it.
      return target === undefined
        ? []
        : [{ ...(name ? { name } : {}), port: target, protocol: protocol ?? 'TCP' }];
    });
}
