import type { FaultTarget } from '../faults.ts';

/** How many requests came in, by verb and resource, told at `/metrics` under the name that the real API server has. */
export interface Traffic {
  count(group: string, target: FaultTarget): void;
  /** In Prometheus' text format. */
  metrics(): string;
}

export function createTraffic(): Traffic {
  /** By group, path and verb. */
  const counts = new Map<string, number>();
  return {
    count(group, { verb, resource }) {
      const key = `${group} ${resource} ${verb}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    metrics() {
      const lines = [...counts].sort().map(([key, count]) => {
        const [group, path = '', verb = ''] = key.split(' ');
        const [resource, subresource = ''] = path.split('/');
        const labels = Object.entries({ group, resource, subresource, verb: verb.toUpperCase() });
        return `apiserver_request_total{${labels.map(([label, value]) => `${label}="${value}"`).join(',')}} ${count}`;
      });
      return ['# TYPE apiserver_request_total counter', ...lines, ''].join('\n');
    },
  };
}
