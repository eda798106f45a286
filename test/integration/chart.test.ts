import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { engines } from '../../libs/engines/index.ts';
import { resourceTypeOf } from '../../libs/kube/definition.ts';
import { modelFields } from '../../libs/kube/models.ts';
import { type KubeObject, labels } from '../../libs/kube/object.ts';
import { settings } from '../../libs/service/config.ts';
import { watcherSettings } from '../../services/watcher/settings.ts';
import { workerSettings } from '../../services/worker/settings.ts';
import {
  autoscaled,
  type Container,
  chart,
  existingServers,
  helm,
  keda,
  render,
  type Workload,
  workloadsOf,
} from '../chart.ts';

/** What people install, each with what is special about it. */
const cases: [what: string, rendering: Parameters<typeof render>][] = [
  ['the defaults', [{}]],
  ['the defaults on 1.20', [{}, '1.20.2']],
  ['existing servers', [existingServers]],
  ['existing servers with KEDA', [{ ...existingServers, ...autoscaled }, '1.35.0', keda]],
  ['bundled servers with KEDA on 1.20', [autoscaled, '1.20.2', keda]],
  ['a HorizontalPodAutoscaler', [autoscaled]],
  ['a ServiceMonitor', [{ serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } }]],
  ['traces', [{ tracing: { endpoint: 'http://collector:4318', share: 0.1, existingSecret: 'headers' } }]],
  ['two namespaces', [{ namespaces: ['databases', 'more'], clusterWide: 'annotated' }]],
  ['several Kubernetes clusters', [{ kubes: { enabled: true }, namespaces: ['databases'] }]],
  ['OpenShift', [{ runAsUser: null }]],
  ['nothing but the services', [{ ...existingServers, ...noExtras() }]],
];
function noExtras() {
  const off = { enabled: false };
  return { crds: { install: false }, podDisruptionBudgets: off, networkPolicies: off };
}

describe('the chart', () => {
  const rendered = new Map<string, KubeObject[]>();
  const of = (what: string): KubeObject[] => rendered.get(what) ?? assert.fail(`no case ${what}`);
  before(async () => {
    for (const [what, rendering] of cases) rendered.set(what, await render(...rendering));
  });

  /** Checks each object of each case, and names the one that fails. */
  function everywhere(title: string, check: (object: KubeObject, among: KubeObject[]) => void) {
    test(title, () => {
      for (const [what, objects] of rendered) {
        for (const object of objects) {
          try {
            check(object, objects);
          } catch (error) {
            const { kind, metadata } = object;
            throw new Error(`${what}: ${kind} ${metadata.name}: ${(error as Error).message}`, {
              cause: error,
            });
          }
        }
      }
    });
  }
  const eachWorkload = (title: string, check: (workload: Workload, among: KubeObject[]) => void) =>
    everywhere(title, (object, among) => {
      for (const workload of workloadsOf([object])) check(workload, among);
    });
  const eachContainer = (title: string, check: (container: Container, workload: Workload) => void) =>
    eachWorkload(title, (workload) => {
      for (const container of workload.spec.template.spec.containers) check(container, workload);
    });

  test('passes the linter', async () => {
    await helm(['lint', '--strict', chart]);
  });

  test('has the version of the project', () => {
    const { version, appVersion } = parse(readFileSync(`${chart}/Chart.yaml`, 'utf8'));
    const project = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    assert.deepEqual([version, appVersion], [project.version, project.version]);
  });

  everywhere('has only fields that the newest Kubernetes knows', (object) => {
    const version = object.apiVersion.split('/').at(-1) ?? '';
    const model = `${version.charAt(0).toUpperCase()}${version.slice(1)}${object.kind}`;
    // Kinds of others, and those that only older versions have, are for a real API server to judge.
    if (modelFields(model)) assert.deepEqual(unknownFields(object, model), []);
  });

  everywhere('has every object in a namespace, and never without one that it needs', ({ kind, metadata }) => {
    const isOfCluster = /^(Cluster|CustomResource)/.test(kind);
    assert.equal(metadata.namespace === undefined, isOfCluster);
  });

  eachWorkload('keeps to the restricted pod security standard', ({ spec }) => {
    const { securityContext, containers } = spec.template.spec;
    const { runAsNonRoot, seccompProfile } = securityContext as Record<string, unknown>;
    assert.deepEqual([runAsNonRoot, seccompProfile], [true, { type: 'RuntimeDefault' }]);
    for (const container of containers) {
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    assert.doesNotMatch(JSON.stringify(spec), /hostPath|hostNetwork|hostPID|hostPort|privileged/);
  });

  eachContainer('has probes, requests and limits for every container', (container) => {
    assert.ok(container.livenessProbe && container.readinessProbe);
    for (const part of [container.resources?.requests, container.resources?.limits]) {
      assert.deepEqual(Object.keys(part ?? {}).sort(), ['cpu', 'memory']);
    }
  });

  eachContainer('gives every volume a place and every place a volume', (container, { spec }) => {
    const claims = (spec as { volumeClaimTemplates?: KubeObject[] }).volumeClaimTemplates ?? [];
    const volumes = [
      ...(spec.template.spec.volumes ?? []).map(({ name }) => name),
      ...claims.map(({ metadata }) => metadata.name),
    ];
    const mounted = (container.volumeMounts ?? []).map(({ name }) => name);
    assert.deepEqual(mounted.sort(), volumes.sort());
  });

  eachWorkload(
    'gives a token to the services, each with an account of its own, and to nobody else',
    (workload, among) => {
      const { serviceAccountName, automountServiceAccountToken } = workload.spec.template.spec;
      const isService = workload.kind === 'Deployment';
      assert.equal(automountServiceAccountToken, isService);
      assert.equal(serviceAccountName, isService ? workload.metadata.name : undefined);
      const accounts = among
        .filter(({ kind }) => kind === 'ServiceAccount')
        .map(({ metadata }) => metadata.name);
      if (isService) assert.ok(accounts.includes(workload.metadata.name));
    },
  );

  everywhere(
    'gives no rights to everything, and none to roles or Secrets',
    ({ kind, metadata, ...object }) => {
      if (!/Role$/.test(kind)) return;
      for (const rule of object['rules'] as Record<string, string[]>[]) {
        if (kind === 'Role' && metadata.name.endsWith('-kubes') && rule['resources']?.join() === 'secrets') {
          assert.deepEqual([metadata.namespace, rule['verbs']], ['quorate', ['list', 'watch']]);
          continue;
        }
        assert.doesNotMatch(JSON.stringify(rule), /\*|secrets|roles|impersonate|escalate|bind"|exec"/);
        assert.ok(rule['verbs']?.length);
      }
    },
  );

  test('binds every role, and none of others', () => {
    for (const [what, objects] of rendered) {
      const roles = objects.filter(({ kind }) => /Role$/.test(kind));
      const bound = objects.flatMap((object) => {
        const { kind, name } = (object['roleRef'] ?? {}) as { kind?: string; name?: string };
        return kind === undefined ? [] : [`${object.metadata.namespace}/${kind}/${name}`];
      });
      assert.deepEqual(
        bound.sort(),
        roles.map(({ kind, metadata }) => `${metadata.namespace}/${kind}/${metadata.name}`).sort(),
        what,
      );
    }
  });

  test('lets the watcher and the worker read all that the engines own', () => {
    for (const [service, verbs] of [
      ['watcher', ['list', 'watch']],
      ['worker', ['get', 'list']],
    ] as const) {
      for (const what of ['the defaults', 'two namespaces']) {
        for (const type of engines.flatMap(({ resource, owned }) => [resourceTypeOf(resource), ...owned])) {
          const granted = rulesOf(of(what), service).flatMap((rule) =>
            rule.apiGroups.includes(type.group) && rule.resources.includes(type.plural) ? rule.verbs : [],
          );
          for (const verb of verbs)
            assert.ok(granted.includes(verb), `${service} may not ${verb} ${type.plural}`);
        }
      }
    }
  });

  eachContainer('sets only what the service reads, to what it takes', (container, { kind, spec }) => {
    if (kind !== 'Deployment') return;
    const schemas = { watcher: watcherSettings, worker: workerSettings, observer: settings };
    const schema = schemas[container.name as keyof typeof schemas];
    const environment = (container.env ?? []).filter(({ name }) => name !== 'LOG_LEVEL');
    const mounts = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
    const given = environment.map(({ name, value = 'from a Secret' }): [string, string] => {
      assert.ok(name in schema.shape, `${name} is no setting`);
      if (!value.startsWith('/')) return [name, value];
      assert.ok(
        mounts.some((mount) => value.startsWith(`${mount}/`)),
        `${value} is not mounted`,
      );
      // Any file that can be read does.
      return [name, import.meta.filename];
    });
    schema.parse(Object.fromEntries(given));
    const main = `/app/services/${container.name}/main.ts`;
    assert.deepEqual(container.command, ['node', '--max-semi-space-size=16', main]);
    // So that the watcher takes none of Quorate's own pods for a member.
    assert.notEqual(spec.template.metadata.labels[labels.managedBy], labels.managedByValue);
  });

  everywhere(
    'names the protocol of ports, which 1.20 has no default for in a server-side apply',
    (object) => {
      const { ports = [] } = (object['spec'] ?? {}) as { ports?: { protocol?: string }[] };
      const containers = workloadsOf([object]).flatMap(({ spec }) => spec.template.spec.containers);
      const all = [
        ...(object.kind === 'Service' ? ports : []),
        ...containers.flatMap((each) => each.ports ?? []),
      ];
      for (const port of all) assert.ok(port.protocol, JSON.stringify(port));
    },
  );

  everywhere('selects pods that there are', (object, among) => {
    const spec = (object['spec'] ?? {}) as { selector?: Selector; podSelector?: Selector };
    const isMonitor = object.kind === 'ServiceMonitor' || object.kind === 'CustomResourceDefinition';
    const selector = isMonitor ? undefined : (spec.podSelector ?? spec.selector);
    if (selector === undefined) return;
    const wanted = Object.entries(selector.matchLabels ?? selector);
    const pods = workloadsOf(among).map(({ spec }) => spec.template.metadata.labels);
    assert.ok(
      pods.some((pod) => wanted.every(([label, value]) => pod[label] === value)),
      JSON.stringify(wanted),
    );
  });
});

type Selector = Record<string, string> & { matchLabels?: Record<string, string> };

function rulesOf(objects: KubeObject[], service: string) {
  return objects
    .filter(({ kind, metadata }) => /Role$/.test(kind) && metadata.name === `quorate-quorate-${service}`)
    .flatMap((role) => role['rules'] as { apiGroups: string[]; resources: string[]; verbs: string[] }[]);
}

/** The paths of fields that the model does not have. */
function unknownFields(value: unknown, type: string, path = ''): string[] {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined)
    return (value as unknown[]).flatMap((item) => unknownFields(item, list, `${path}[]`));
  const fields = modelFields(type);
  // Maps, text and numbers have no fields of their own.
  if (fields === undefined) return [];
  return Object.entries(value as object).flatMap(([name, child]) => {
    const field = fields.find((each) => each.name === name);
    return field === undefined ? [`${path}.${name}`] : unknownFields(child, field.type, `${path}.${name}`);
  });
}
