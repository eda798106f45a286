import type { KubeObject } from '../../kube/object.ts';
import { listOf, objectOf, textOf, valueAt } from './json.ts';
import { compileJsonPath } from './jsonpath.ts';
import { podState } from './podstate.ts';
import type { PrinterColumn, Resource } from './resource.ts';

export interface Column {
  name: string;
  type: string;
  /** 0 is always shown, above only with `-o wide`. */
  priority: number;
  description?: string;
  cell(object: KubeObject, now: Date): unknown;
}

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  priority: 0,
  cell: (object) => object.metadata.name,
};
const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  priority: 0,
  cell: ({ metadata }, now) => age(metadata.creationTimestamp, now),
};

const column = (name: string, cell: Column['cell'], priority = 0, type = 'string'): Column => ({
  name,
  type,
  priority,
  cell,
});

const at =
  (...path: string[]) =>
  (object: KubeObject): unknown =>
    valueAt(object, ...path);

const orNone = (value: unknown): unknown => (value === undefined || value === '' ? '<none>' : value);

/** The columns of the built-in kinds, between name and age. */
const builtin: Record<string, Column[]> = {
  Pod: [
    column('Ready', (pod) => {
      const statuses = listOf(valueAt(pod, 'status', 'containerStatuses'));
      const ready = statuses.filter((status) => objectOf(status)['ready'] === true).length;
      return `${ready}/${listOf(valueAt(pod, 'spec', 'containers')).length}`;
    }),
    column('Status', podState),
    column('Restarts', (pod) => {
      const statuses = listOf(valueAt(pod, 'status', 'containerStatuses'));
      return String(
        statuses.reduce<number>((sum, each) => sum + Number(objectOf(each)['restartCount'] ?? 0), 0),
      );
    }),
    column('Age', ageColumn.cell),
    column('IP', (pod) => orNone(valueAt(pod, 'status', 'podIP')), 1),
    column('Node', (pod) => orNone(valueAt(pod, 'spec', 'nodeName')), 1),
    column('Nominated Node', () => '<none>', 1),
    column('Readiness Gates', () => '<none>', 1),
  ],
  Service: [
    column('Type', at('spec', 'type')),
    column('Cluster-IP', (service) => orNone(valueAt(service, 'spec', 'clusterIP'))),
    column('External-IP', () => '<none>'),
    column('Port(s)', (service) => {
      const ports = listOf(valueAt(service, 'spec', 'ports')).map(objectOf);
      return orNone(ports.map((port) => `${port['port']}/${port['protocol'] ?? 'TCP'}`).join(','));
    }),
    column('Age', ageColumn.cell),
    column('Selector', (service) => labelsText(valueAt(service, 'spec', 'selector')), 1),
  ],
  Endpoints: [column('Endpoints', endpointsText), column('Age', ageColumn.cell)],
  Namespace: [column('Status', at('status', 'phase')), column('Age', ageColumn.cell)],
  ConfigMap: [column('Data', dataCount), column('Age', ageColumn.cell)],
  Secret: [column('Type', at('type')), column('Data', dataCount), column('Age', ageColumn.cell)],
  PersistentVolumeClaim: [
    column('Status', (claim) =>
      claim.metadata.deletionTimestamp ? 'Terminating' : valueAt(claim, 'status', 'phase'),
    ),
    column('Volume', (claim) => valueAt(claim, 'spec', 'volumeName') ?? ''),
    column('Capacity', (claim) => valueAt(claim, 'status', 'capacity', 'storage') ?? ''),
    column('Access Modes', (claim) => accessModes(valueAt(claim, 'status', 'accessModes'))),
    column('StorageClass', (claim) => valueAt(claim, 'spec', 'storageClassName') ?? ''),
    column('Age', ageColumn.cell),
    column('VolumeMode', at('spec', 'volumeMode'), 1),
  ],
  Node: [
    column('Status', (node) => {
      const ready = conditionOf(node, 'Ready') === 'True' ? 'Ready' : 'NotReady';
      return valueAt(node, 'spec', 'unschedulable') === true ? `${ready},SchedulingDisabled` : ready;
    }),
    column('Roles', () => '<none>'),
    column('Age', ageColumn.cell),
    column('Version', at('status', 'nodeInfo', 'kubeletVersion')),
  ],
  PodDisruptionBudget: [
    column('Min Available', (budget) => valueAt(budget, 'spec', 'minAvailable') ?? 'N/A'),
    column('Max Unavailable', (budget) => valueAt(budget, 'spec', 'maxUnavailable') ?? 'N/A'),
    column('Allowed Disruptions', at('status', 'disruptionsAllowed'), 0, 'integer'),
    column('Age', ageColumn.cell),
  ],
  StorageClass: [
    column('Provisioner', at('provisioner')),
    column('ReclaimPolicy', at('reclaimPolicy')),
    column('VolumeBindingMode', at('volumeBindingMode')),
    column('Age', ageColumn.cell),
  ],
  CustomResourceDefinition: [column('Created At', ({ metadata }) => metadata.creationTimestamp)],
  Lease: [
    column('Holder', (lease) => valueAt(lease, 'spec', 'holderIdentity') ?? ''),
    column('Age', ageColumn.cell),
  ],
};

const eventColumns: Column[] = [
  column('Last Seen', (event, now) => {
    const { lastTimestamp, eventTime, firstTimestamp } = event;
    return age(textOf(lastTimestamp) ?? textOf(eventTime) ?? textOf(firstTimestamp), now);
  }),
  column('Type', at('type')),
  column('Reason', at('reason')),
  column('Object', (event) => {
    const { kind, name } = objectOf(event['involvedObject']);
    return `${String(kind ?? '').toLowerCase()}/${name ?? ''}`;
  }),
  column('Source', (event) => valueAt(event, 'source', 'component') ?? event['reportingComponent'] ?? '', 1),
  column('Message', at('message')),
  column('Count', (event) => event['count'] ?? 1, 1, 'integer'),
  column('Name', (event) => event.metadata.name, 1),
];

/** The columns that `kubectl get` shows for a resource. */
export function columnsOf(resource: Resource): Column[] {
  const { kind } = resource.type;
  if (resource.columns) return [nameColumn, ...resource.columns.map(customColumn)];
  if (resource.builtin && kind === 'Event') return eventColumns;
  return [nameColumn, ...((resource.builtin ? builtin[kind] : undefined) ?? [ageColumn])];
}

function customColumn(given: PrinterColumn): Column {
  const find = compileJsonPath(given.jsonPath);
  return {
    name: given.name,
    type: given.type,
    priority: given.priority ?? 0,
    ...(given.description ? { description: given.description } : {}),
    cell: (object, now) => {
      const [found] = find(object);
      if (found === undefined || found === null) return given.type === 'date' ? '<unknown>' : null;
      if (given.type === 'date') return age(String(found), now);
      if (given.type === 'string') return typeof found === 'object' ? JSON.stringify(found) : String(found);
      return found;
    },
  };
}

function endpointsText(endpoints: KubeObject): unknown {
  const found = listOf(endpoints['subsets']).flatMap((subset) => {
    const ports = listOf(objectOf(subset)['ports']).map((port) => objectOf(port)['port']);
    const addresses = listOf(objectOf(subset)['addresses']).map((address) => objectOf(address)['ip']);
    return addresses.flatMap((ip) => (ports.length === 0 ? [`${ip}`] : ports.map((port) => `${ip}:${port}`)));
  });
  if (found.length === 0) return '<none>';
  return found.length <= 3 ? found.join(',') : `${found.slice(0, 3).join(',')} + ${found.length - 3} more...`;
}

function dataCount(object: KubeObject): string {
  return String(
    Object.keys(objectOf(object['data'])).length + Object.keys(objectOf(object['binaryData'])).length,
  );
}

function accessModes(modes: unknown): string {
  const short: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX' };
  return listOf(modes)
    .map((mode) => short[String(mode)] ?? mode)
    .join(',');
}

function labelsText(labels: unknown): unknown {
  return orNone(
    Object.entries(objectOf(labels))
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  );
}

function conditionOf(object: KubeObject, type: string): unknown {
  const conditions = listOf(valueAt(object, 'status', 'conditions')).map(objectOf);
  return conditions.find((condition) => condition['type'] === type)?.['status'];
}

/** A duration as kubectl writes it: two units while that tells something, e.g. `90s`, `5m`, `3h12m`, `4d`. */
export function age(since: string | undefined, now: Date): string {
  const time = since === undefined ? Number.NaN : Date.parse(since);
  if (Number.isNaN(time)) return '<unknown>';
  const seconds = Math.max(0, Math.floor((now.getTime() - time) / 1000));
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3600),
    Math.floor(seconds / 86_400),
  ];
  const both = (large: number, unit: string, small: number, smallUnit: string): string =>
    small === 0 ? `${large}${unit}` : `${large}${unit}${small}${smallUnit}`;
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return both(minutes, 'm', seconds % 60, 's');
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return both(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return both(days, 'd', hours % 24, 'h');
  return `${days}d`;
}
