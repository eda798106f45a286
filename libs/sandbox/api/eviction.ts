import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import { budgetStatus, covers, isReady } from '../controllers/budgets.ts';
import { ApiStatus } from '../status.ts';
import type { ApiContext } from './context.ts';
import { objectOf, textOf, valueAt } from './json.ts';
import type { ResourceRequest } from './request.ts';
import { existing, isDryRun } from './write.ts';

/**
 * `pods/<name>/eviction`, which is what `kubectl drain` asks for: deletes the pod where its disruption budget allows
 * that, and refuses with 429 where it does not. As the API server does: what does not run is no disruption, and
 * what is not ready does not count as healthy and may go while enough others are.
 */
export function evictPod(context: ApiContext, request: ResourceRequest): object {
  const pod = existing(context, request);
  const { store } = context;
  const { namespace, name, uid = '' } = pod.metadata;
  const budgets = store.list(resourceTypes.budget, namespace).filter((budget) => covers(budget, pod));
  if (budgets.length > 1) {
    const message =
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new ApiStatus(500, 'InternalError', message);
  }
  const [budget] = budgets;
  const runs = valueAt(pod, 'status', 'phase') === 'Running' && !pod.metadata.deletionTimestamp;
  if (budget && runs) checkBudget(context, budget, pod);
  const options = objectOf(valueAt(request.body, 'deleteOptions'));
  const wanted = textOf(valueAt(options, 'preconditions', 'uid')) ?? uid;
  const grace = options['gracePeriodSeconds'];
  if (!isDryRun(request)) {
    store.delete(resourceTypes.pod, namespace, name, {
      uid: wanted,
      ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
    });
  }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

function checkBudget({ store }: ApiContext, budget: KubeObject, pod: KubeObject): void {
  const { currentHealthy, desiredHealthy, disruptionsAllowed } = budgetStatus(store, budget);
  if (!isReady(pod) && currentHealthy >= desiredHealthy && desiredHealthy > 0) return;
  if (disruptionsAllowed > 0) return;
  const { name } = budget.metadata;
  const message = `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  throw new ApiStatus(
    429,
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    { causes: [{ reason: 'DisruptionBudget', message, field: '' }] },
  );
}
