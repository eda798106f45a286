import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../libs/kube/object.ts';
import { existingServers, render, workloadsOf } from '../chart.ts';

test('the chart lets through what the services need, and nothing else', async () => {
  const shared = [53, 5353, 443, 6443];
  const bundled = {
    watcher: { in: [8080], out: [...shared, 4222] },
    worker: { in: [8080], out: [...shared, 4222, 2379, 6379] },
    observer: { in: [8080], out: [...shared, 4222] },
    nats: { in: [4222], out: [] },
    redis: { in: [6379], out: [] },
  };
  assert.deepEqual(openPorts(await render({})), sorted(bundled));
  const elsewhere = {
    watcher: { in: [8080], out: [...shared, 4222, 4223] },
    worker: { in: [8080], out: [...shared, 4222, 4223, 2379, 6380] },
    observer: { in: [8080], out: [...shared, 4222, 4223] },
  };
  assert.deepEqual(openPorts(await render(existingServers)), sorted(elsewhere));
  for (const [endpoint, port] of [
    ['http://collector:4318', 4318],
    ['https://collector.example/otlp', 443],
    ['http://collector', 80],
  ] as const) {
    const { observer } = openPorts(await render({ tracing: { endpoint } }));
    assert.deepEqual(observer?.out, [...new Set([...bundled.observer.out, port])].sort());
  }
});

type Ports = Record<string, { in: number[]; out: number[] }>;

/** The ports that policies open for each workload; none is open where no policy denies all, as all are then. */
function openPorts(objects: KubeObject[]): Ports {
  const policies = objects.flatMap(({ kind, spec }) =>
    kind === 'NetworkPolicy' ? [spec as PolicySpec] : [],
  );
  const ports = workloadsOf(objects).map(({ metadata, spec }) => {
    const pod = spec.template.metadata.labels;
    const own = policies.filter(({ podSelector }) =>
      Object.entries(podSelector.matchLabels).every(([label, value]) => pod[label] === value),
    );
    const deniesAll = own.some(
      ({ ingress, egress, policyTypes }) => !ingress && !egress && policyTypes.length === 2,
    );
    assert.ok(deniesAll, metadata.name);
    const open = (rules: Rule[]) => rules.flatMap((rule) => rule.ports.map(({ port }) => port));
    return [
      metadata.name.replace(/^quorate-/, ''),
      {
        in: open(own.flatMap(({ ingress = [] }) => ingress)),
        out: open(own.flatMap(({ egress = [] }) => egress)),
      },
    ] as const;
  });
  return sorted(Object.fromEntries(ports));
}

const sorted = (ports: Ports): Ports =>
  Object.fromEntries(
    Object.entries(ports).map(([name, open]) => [
      name,
      { in: [...new Set(open.in)].sort(), out: [...new Set(open.out)].sort() },
    ]),
  );

type Rule = { ports: { port: number }[] };

interface PolicySpec {
  podSelector: { matchLabels: Record<string, string> };
  policyTypes: string[];
  ingress?: Rule[];
  egress?: Rule[];
}
