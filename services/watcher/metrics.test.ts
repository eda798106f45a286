import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { changeLag } from './metrics.ts';

test('the lag of a change is counted from when Kubernetes noted the last one of the object', async () => {
  const registry = new Registry();
  const published = changeLag(registry);
  const at = (ageMs: number) => `${new Date(Date.now() - ageMs).toISOString().slice(0, 19)}Z`;
  const managedFields = [
    { manager: 'kubectl-create', operation: 'Update', time: at(3_600_000) },
    { manager: 'kubectl-patch', operation: 'Update', time: at(20_000) },
  ];
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', managedFields } };
  published('local', object);
  published('local', { ...object, metadata: { name: 'nothing is known of this one' } });
  const text = await registry.metrics();
  assert.match(text, /^quorate_change_lag_seconds_count\{kube="local"\} 1$/m);
  assert.match(text, /^quorate_change_lag_seconds_bucket\{le="10",kube="local"\} 0$/m);
  assert.match(text, /^quorate_change_lag_seconds_bucket\{le="30",kube="local"\} 1$/m);
});
