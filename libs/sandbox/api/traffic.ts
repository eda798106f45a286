import type { FaultTarget } from '../faults.ts';

/** How many requests came in, by verb and resource, told at `/metrics` under the name that the real API server has. */
export interface Traffic {
  count(group: string, target: FaultTarget): void;
  /** In Prometheus' text format. */
  metrics(): string;
}

export function createTraffic(): Traffic {
  const counts = new Map<string, number>();
  return {
    count(group, { verb, resource: path }) {
      const [resource = '', subresource = ''] = path.split('/');
      const labels = { group, resource, subresource, verb: verb.toUpperCase() };
      const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      const key = text.join(',');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    metrics() {
      const lines = [...counts].sort().map(([key, count]) => `apiserver_request_total{${key}} ${count}`);
      return ['# TYPE apiserver_request_total counter', ...lines, ''].join('\n');
    },
  };
}
