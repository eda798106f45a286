import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { QueueKeys } from 'bullmq';
import { values } from '../../deploy/chart/values.ts';
import { defaultLimits } from '../../libs/bus/streams.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import { queueName, queuePrefix } from '../../libs/queue/redis.ts';
import { autoscaled, chart, existingServers, helm, keda, render, workloadsOf } from '../chart.ts';

const workerOf = (objects: KubeObject[]) =>
  workloadsOf(objects).find(({ metadata }) => metadata.name === 'quorate-worker');

describe('the values of the chart', () => {
  test('has two of each service, of which new ones begin before old ones end', async () => {
    const workloads = workloadsOf(await render({}));
    for (const service of ['watcher', 'worker', 'observer']) {
      const spec = workloads.find(({ metadata }) => metadata.name === `quorate-${service}`)?.spec;
      assert.deepEqual([spec?.replicas, spec?.strategy?.type], [2, 'RollingUpdate'], service);
    }
  });

  test('lets the bundled NATS store what the streams may hold, and no more than its claim', async () => {
    const objects = await render({});
    const config = objects.find(({ kind }) => kind === 'ConfigMap')?.['data'] as {
      'nats.conf': string;
    };
    const [, megabytes] = /max_file_store: (\d+)MB/.exec(config['nats.conf']) ?? [];
    const reserved = Object.values(defaultLimits).reduce((sum, { maxBytes }) => sum + maxBytes, 0);
    assert.ok(Number(megabytes) * 1024 ** 2 >= reserved);
    assert.equal(values.parse({}).nats.persistence.size, '4Gi');
    assert.ok(Number(megabytes) < 4 * 1024);
  });

  test('has budgets in the version that the Kubernetes knows', async () => {
    for (const [kubeVersion, apiVersion, evicts] of [
      ['1.20.2', 'policy/v1beta1', undefined],
      ['1.21.0', 'policy/v1', undefined],
      ['1.35.0', 'policy/v1', 'AlwaysAllow'],
    ] as const) {
      const budgets = (await render({}, kubeVersion)).filter(({ kind }) => kind === 'PodDisruptionBudget');
      assert.equal(budgets.length, 3);
      for (const budget of budgets) {
        assert.equal(budget.apiVersion, apiVersion);
        const { unhealthyPodEvictionPolicy } = budget['spec'] as { unhealthyPodEvictionPolicy?: string };
        assert.equal(unhealthyPodEvictionPolicy, evicts);
      }
    }
  });

  test('installs no server where one exists, and reads its credentials from Secrets', async () => {
    const objects = await render(existingServers);
    assert.deepEqual(
      workloadsOf(objects).map(({ kind }) => kind),
      ['Deployment', 'Deployment', 'Deployment'],
    );
    const worker = workerOf(objects);
    const [container] = worker?.spec.template.spec.containers ?? [];
    const environment = Object.fromEntries(
      (container?.env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.secretKeyRef]),
    );
    assert.deepEqual(environment, {
      ...{
        LOG_LEVEL: 'info',
        QUORATE_KUBE: 'local',
        QUORATE_KUBE_REQUESTS_PER_SECOND: '200',
        QUORATE_KUBE_BURST: '400',
        QUORATE_HTTP_PORT: '8080',
        QUORATE_CONCURRENCY: '20',
      },
      QUORATE_CLUSTER_WIDE: 'all',
      NATS_URL: 'tls://nats-1.example,tls://nats-2.example:4223',
      NATS_USER: { name: 'nats-login', key: 'user' },
      NATS_PASSWORD: { name: 'nats-login', key: 'password' },
      NATS_CREDS: '/etc/quorate/nats-auth/creds',
      NATS_CA: '/etc/quorate/nats-tls/ca.crt',
      NATS_CERT: '/etc/quorate/nats-tls/tls.crt',
      NATS_KEY: '/etc/quorate/nats-tls/tls.key',
      REDIS_URL: 'rediss://redis.example:6380',
      REDIS_USERNAME: { name: 'redis-login', key: 'user' },
      REDIS_PASSWORD: { name: 'redis-login', key: 'password' },
      REDIS_CA: '/etc/quorate/redis-tls/ca.crt',
    });
    const volumes = worker?.spec.template.spec.volumes?.map(({ name, secret }) => [name, secret?.secretName]);
    assert.deepEqual(volumes, [
      ['nats-auth', 'nats-login'],
      ['nats-tls', 'nats-tls'],
      ['redis-tls', 'redis-tls'],
    ]);
  });

  test('with KEDA, scales the workers by the tasks that wait', async () => {
    const listName = new QueueKeys(queuePrefix).toKey(queueName('local'), 'wait');
    const bundled = await render(autoscaled, '1.20.2', keda);
    const existing = await render({ ...existingServers, ...autoscaled }, '1.35.0', keda);
    const trigger = (objects: KubeObject[]) => {
      const spec = objects.find(({ kind }) => kind === 'ScaledObject')?.['spec'];
      return (spec as { triggers: unknown[] } | undefined)?.triggers[0];
    };
    const metadata = { listName, listLength: '20' };
    assert.deepEqual(trigger(bundled), {
      type: 'redis',
      metadata: { ...metadata, address: 'quorate-redis.quorate.svc:6379', enableTLS: 'false' },
    });
    assert.deepEqual(trigger(existing), {
      type: 'redis',
      metadata: { ...metadata, address: 'redis.example:6380', enableTLS: 'true' },
      authenticationRef: { name: 'quorate-redis' },
    });
    const authentication = existing.find(({ kind }) => kind === 'TriggerAuthentication');
    assert.deepEqual(authentication?.['spec'], {
      secretTargetRef: [
        { parameter: 'ca', name: 'redis-tls', key: 'ca.crt' },
        { parameter: 'password', name: 'redis-login', key: 'password' },
        { parameter: 'username', name: 'redis-login', key: 'user' },
      ],
    });
  });

  test('leaves the number of workers to what scales them', async () => {
    const scalers = ['HorizontalPodAutoscaler', 'ScaledObject'];
    for (const [apis, given, wanted] of [
      [[], {}, []],
      [[], autoscaled, ['HorizontalPodAutoscaler']],
      [keda, autoscaled, ['ScaledObject']],
      [keda, { worker: { autoscaling: { enabled: true, kind: 'hpa' } } }, ['HorizontalPodAutoscaler']],
    ] as const) {
      const objects = await render(given, '1.35.0', [...apis]);
      const found = objects.flatMap(({ kind }) => (scalers.includes(kind) ? [kind] : []));
      assert.deepEqual(found, wanted);
      assert.equal(workerOf(objects)?.spec.replicas, wanted.length > 0 ? undefined : 2);
    }
  });

  test('tells what to do next, with the names of this release', async () => {
    const notes = async (...set: string[]) => {
      const install = ['install', 'mine', chart, '--namespace', 'here', '--dry-run=client'];
      return (await helm([...install, ...set])).split('NOTES:')[1] ?? '';
    };
    const plain = await notes();
    assert.match(plain, /--namespace here rollout status deployment\/mine-worker/);
    assert.match(plain, /NATS and Redis are bundled/);
    const told = await notes('--set', 'namespaces={there,elsewhere},nats.url=nats://x,redis.url=redis://x');
    assert.match(told, /kubectl get etcd --namespace there/);
    assert.doesNotMatch(told, /bundled/);
  });

  test('refuses a wrong value by its name', async () => {
    for (const [set, complaint] of [
      ['worker.replicas=many', /worker\/replicas|worker\.replicas/],
      ['wroker.replicas=3', /wroker/],
      ['nats.tls.existingsecret=x', /existingsecret/],
      ['logLevel=loud', /logLevel/],
      ['kubeId=Not_An_Id', /kubeId/],
      ['worker.autoscaling.kind=magic', /kind/],
      ['redis.url=redis://:secret@redis', /redis\/url|redis\.url/],
      ['nats.url=http://nats', /nats\/url|nats\.url/],
      ['nats.auth.existingSecret=login', /set nats\.url, too/],
    ] as const) {
      await assert.rejects(helm(['template', 'quorate', chart, '--set', set]), complaint, set);
    }
    assert.ok(await helm(['template', 'quorate', chart, '--set', 'global.anything=goes']));
  });
});
