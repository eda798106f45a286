import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import { isSameResource } from '../api/history.ts';
import { listOf, objectOf, valueAt } from '../api/json.ts';
import { matchesLabels } from '../api/selectors.ts';
import type { Store } from '../store.ts';

/** What a PodDisruptionBudget says of its pods, as the disruption controller counts them. */
export interface BudgetStatus {
  expectedPods: number;
  currentHealthy: number;
  desiredHealthy: number;
  disruptionsAllowed: number;
}

/** Keeps the status of every PodDisruptionBudget up to date. */
export function startBudgets(store: Store): () => void {
  const count = (namespace: string | undefined): void => {
    for (const { metadata } of store.list(resourceTypes.budget, namespace)) {
      store.update(resourceTypes.budget, namespace, metadata.name, (budget) => ({
        ...budget,
        status: { ...budgetStatus(store, budget), observedGeneration: budget.metadata.generation },
      }));
    }
  };
  return store.watch(({ resource, object }) => {
    const matters =
      isSameResource(resource, resourceTypes.pod) || isSameResource(resource, resourceTypes.budget);
    if (matters) count(object.metadata.namespace);
  });
}

export function budgetStatus(store: Store, budget: KubeObject): BudgetStatus {
  const pods = store.list(resourceTypes.pod, budget.metadata.namespace).filter((pod) => covers(budget, pod));
  const healthy = pods.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  const { minAvailable, maxUnavailable } = objectOf(budget['spec']);
  const desiredHealthy =
    minAvailable === undefined
      ? Math.max(0, pods.length - share(maxUnavailable ?? 0, pods.length))
      : share(minAvailable, pods.length);
  return {
    expectedPods: pods.length,
    currentHealthy: healthy.length,
    desiredHealthy,
    disruptionsAllowed: Math.max(0, healthy.length - desiredHealthy),
  };
}

/** Whether the budget is about this pod; one without a selector is about all (policy/v1). */
export function covers(budget: KubeObject, pod: KubeObject): boolean {
  return matchesLabels(valueAt(budget, 'spec', 'selector'), pod);
}

export function isReady(pod: KubeObject): boolean {
  const conditions = listOf(valueAt(pod, 'status', 'conditions')).map(objectOf);
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** A number, or a percentage of `total`, rounded up as Kubernetes does. */
function share(value: unknown, total: number): number {
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? Number(value) : Math.ceil((Number(percent) * total) / 100);
}
