import type { KubeObject } from '../../../kube/object.ts';
import type { StatusCause } from '../../status.ts';
import { isObject, type JsonObject, listOf, objectOf } from '../json.ts';
import { checkLabelName, missing, wrong } from '../metadata.ts';
import type { KindRules } from './rules.ts';

/** `allocateClusterIp` gives a service that is not headless its address. */
export function serviceRules(allocateClusterIp: (service: KubeObject) => string): KindRules {
  return {
    prepare,
    validate,
    onCreate: (service) => {
      const spec = objectOf(service['spec']);
      const address =
        spec['type'] === 'ExternalName' ? undefined : (spec['clusterIP'] ?? allocateClusterIp(service));
      const addresses = address === undefined ? {} : { clusterIP: address, clusterIPs: [address] };
      return { ...service, spec: { ...spec, ...addresses }, status: { loadBalancer: {} } };
    },
  };
}

function prepare(service: KubeObject, old: KubeObject | undefined): KubeObject {
  const spec = objectOf(service['spec']);
  const { clusterIP, clusterIPs } = objectOf(old?.['spec']);
  const address: JsonObject = clusterIP ? { clusterIP, clusterIPs } : {};
  const ports = listOf(spec['ports']).map((port) =>
    isObject(port) ? { protocol: 'TCP', targetPort: port['port'], ...port } : port,
  );
  return {
    ...service,
    spec: {
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ...address,
      ...spec,
      ...(spec['ports'] ? { ports } : {}),
    },
  };
}

function validate(service: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = objectOf(service['spec']);
  const found: StatusCause[] = [];
  const ports = listOf(spec['ports']).map(objectOf);
  if (ports.length === 0 && spec['clusterIP'] !== 'None' && spec['type'] !== 'ExternalName') {
    found.push(missing('spec.ports'));
  }
  for (const [index, { name, port }] of ports.entries()) {
    const at = `spec.ports[${index}]`;
    if (ports.length > 1 || name !== undefined) found.push(...checkLabelName(`${at}.name`, name));
    if (ports.slice(0, index).some((other) => other['name'] === name)) {
      found.push(wrong(`${at}.name`, name, 'must not be the name of another port'));
    }
    if (port === undefined) found.push(missing(`${at}.port`));
    else if (!(Number(port) >= 1 && Number(port) <= 65535)) {
      found.push(wrong(`${at}.port`, port, 'must be between 1 and 65535, inclusive'));
    }
  }
  const before = objectOf(old?.['spec'])['clusterIP'];
  if (before !== undefined && before !== spec['clusterIP']) {
    found.push(wrong('spec.clusterIPs[0]', spec['clusterIP'], 'may not change once set'));
  }
  return found;
}
