import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import { createStore } from '../memory.ts';
import type { Store } from '../store.ts';
import { startBudgets } from './budgets.ts';

const pod = (name: string, ready: boolean, app = 'etcd'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app } },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

function setUp(t: TestContext, spec: object): { store: Store; status: () => object } {
  const store = createStore();
  t.after(startBudgets(store));
  store.create(resourceTypes.budget, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'etcd' } }, ...spec },
  });
  const status = () => {
    const budget = store.get(resourceTypes.budget, 'default', 'b');
    const { observedGeneration, ...counted } = (budget?.['status'] ?? {}) as { observedGeneration?: number };
    assert.equal(observedGeneration, 1);
    return counted;
  };
  return { store, status };
}

test('a budget counts the ready pods it is about, and none that is going', (t) => {
  const { store, status } = setUp(t, { minAvailable: 2 });
  for (const name of ['a', 'b', 'c']) store.create(resourceTypes.pod, pod(name, true));
  store.create(resourceTypes.pod, pod('other', true, 'redis'));
  assert.deepEqual(status(), {
    expectedPods: 3,
    currentHealthy: 3,
    desiredHealthy: 2,
    disruptionsAllowed: 1,
  });
  store.update(resourceTypes.pod, 'default', 'a', () => pod('a', false));
  assert.deepEqual(status(), {
    expectedPods: 3,
    currentHealthy: 2,
    desiredHealthy: 2,
    disruptionsAllowed: 0,
  });
  store.update(resourceTypes.pod, 'default', 'b', (old) => ({ ...old, spec: { nodeName: 'n' } }));
  store.delete(resourceTypes.pod, 'default', 'b');
  assert.deepEqual(status(), {
    expectedPods: 3,
    currentHealthy: 1,
    desiredHealthy: 2,
    disruptionsAllowed: 0,
  });
});

test('how many may be away is as good a way to say it, also as a share', (t) => {
  const { store, status } = setUp(t, { maxUnavailable: '50%' });
  for (const name of ['a', 'b', 'c']) store.create(resourceTypes.pod, pod(name, true));
  assert.deepEqual(status(), {
    expectedPods: 3,
    currentHealthy: 3,
    desiredHealthy: 1,
    disruptionsAllowed: 2,
  });
});
