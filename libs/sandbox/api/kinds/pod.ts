import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../kube/object.ts';
import type { StatusCause } from '../../status.ts';
import { isObject, type JsonObject, listOf, objectOf, without } from '../json.ts';
import { checkLabelName, missing } from '../metadata.ts';
import type { KindRules } from './rules.ts';

const probeDefaults = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

export const podRules: KindRules = {
  prepare,
  validate,
  onCreate: (pod) => ({ ...pod, status: newStatus(pod) }),
};

/** The defaults of a pod's spec that something in the sandbox relies on. */
function prepare(pod: KubeObject): KubeObject {
  const spec = objectOf(pod['spec']);
  const prepared: JsonObject = {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    serviceAccountName: 'default',
    enableServiceLinks: true,
    ...spec,
    containers: listOf(spec['containers']).map(prepareContainer),
  };
  if (spec['initContainers']) {
    prepared['initContainers'] = listOf(spec['initContainers']).map(prepareContainer);
  }
  if (spec['volumes']) prepared['volumes'] = listOf(spec['volumes']).map(prepareVolume);
  return { ...pod, spec: prepared };
}

function prepareContainer(given: unknown): unknown {
  if (!isObject(given)) return given;
  const image = typeof given['image'] === 'string' ? given['image'] : '';
  const container: JsonObject = {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: /:[^/]+$/.test(image) && !image.endsWith(':latest') ? 'IfNotPresent' : 'Always',
    resources: {},
    ...given,
  };
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (isObject(given[probe])) container[probe] = prepareProbe(given[probe]);
  }
  if (given['ports']) container['ports'] = withProtocol(given['ports']);
  if (given['env']) container['env'] = listOf(given['env']).map(prepareVariable);
  return container;
}

function prepareProbe(given: JsonObject): JsonObject {
  const probe: JsonObject = { ...probeDefaults, ...given };
  if (isObject(given['httpGet'])) probe['httpGet'] = { path: '/', scheme: 'HTTP', ...given['httpGet'] };
  return probe;
}

function prepareVariable(given: unknown): unknown {
  const from = objectOf(objectOf(given)['valueFrom']);
  if (!isObject(given) || !isObject(from['fieldRef'])) return given;
  return { ...given, valueFrom: { ...from, fieldRef: { apiVersion: 'v1', ...from['fieldRef'] } } };
}

function prepareVolume(given: unknown): unknown {
  if (!isObject(given)) return given;
  const volume = { ...given };
  for (const source of ['secret', 'configMap', 'projected', 'downwardAPI']) {
    if (isObject(given[source])) volume[source] = { defaultMode: 0o644, ...given[source] };
  }
  if (isObject(given['hostPath'])) volume['hostPath'] = { type: '', ...given['hostPath'] };
  return volume;
}

function withProtocol(ports: unknown): unknown[] {
  return listOf(ports).map((port) => (isObject(port) ? { protocol: 'TCP', ...port } : port));
}

function newStatus(pod: KubeObject): JsonObject {
  const resources = listOf(objectOf(pod['spec'])['containers']).map((container) =>
    objectOf(objectOf(container)['resources']),
  );
  const asks = resources.some((resource) => resource['requests'] || resource['limits']);
  return { phase: 'Pending', qosClass: asks ? 'Burstable' : 'BestEffort' };
}

function validate(pod: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = objectOf(pod['spec']);
  const containers = listOf(spec['containers']);
  const found: StatusCause[] = containers.length === 0 ? [missing('spec.containers')] : [];
  const seen = new Set<unknown>();
  for (const [list, items] of [
    ['containers', containers],
    ['initContainers', listOf(spec['initContainers'])],
  ] as const) {
    for (const [index, container] of items.entries()) {
      const at = `spec.${list}[${index}]`;
      const { name, image } = objectOf(container);
      found.push(...checkLabelName(`${at}.name`, name));
      if (seen.has(name)) found.push(duplicate(`${at}.name`, name));
      seen.add(name);
      if (!image) found.push(missing(`${at}.image`));
      found.push(...checkMounts(at, objectOf(container), spec));
    }
  }
  for (const [index, volume] of listOf(spec['volumes']).entries()) {
    found.push(...checkLabelName(`spec.volumes[${index}].name`, objectOf(volume)['name']));
  }
  const policies = ['Always', 'OnFailure', 'Never'];
  if (!policies.includes(String(spec['restartPolicy']))) {
    const supported = policies.map((policy) => `"${policy}"`).join(', ');
    const message = `Unsupported value: "${spec['restartPolicy']}": supported values: ${supported}`;
    found.push({ reason: 'FieldValueNotSupported', message, field: 'spec.restartPolicy' });
  }
  return old ? [...found, ...checkUnchanged(spec, objectOf(old['spec']))] : found;
}

const duplicate = (field: string, value: unknown): StatusCause => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
  field,
});

function checkMounts(at: string, container: JsonObject, spec: JsonObject): StatusCause[] {
  const volumes = new Set(listOf(spec['volumes']).map((volume) => objectOf(volume)['name']));
  return listOf(container['volumeMounts']).flatMap((mount, index) => {
    const { name, mountPath } = objectOf(mount);
    const field = `${at}.volumeMounts[${index}]`;
    if (!mountPath) return [missing(`${field}.mountPath`)];
    if (volumes.has(name)) return [];
    return [
      { reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(name)}`, field: `${field}.name` },
    ];
  });
}

/** What may change on a pod that exists; `nodeName` only from nothing, as the scheduler's binding does. */
function checkUnchanged(spec: JsonObject, old: JsonObject): StatusCause[] {
  const fixed = (given: JsonObject): JsonObject => ({
    ...without(given, 'activeDeadlineSeconds', 'tolerations'),
    ...(old['nodeName'] ? {} : { nodeName: undefined }),
    containers: listOf(given['containers']).map((container) => without(objectOf(container), 'image')),
    initContainers: listOf(given['initContainers']).map((container) => without(objectOf(container), 'image')),
  });
  const remaining = listOf(spec['tolerations']);
  const kept = listOf(old['tolerations']).every((toleration) =>
    remaining.some((other) => isDeepStrictEqual(other, toleration)),
  );
  if (kept && isDeepStrictEqual(fixed(spec), fixed(old))) return [];
  return [
    {
      reason: 'FieldValueForbidden',
      message:
        'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,' +
        '`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing ' +
        'tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      field: 'spec',
    },
  ];
}
