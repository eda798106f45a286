import type { KubeObject } from '../../kube/object.ts';
import { objectOf, valueAt } from '../api/json.ts';
import { podSpecOf } from './spec.ts';

/**
 * Why the scheduler would not put the pod on the one node there is, in its words; `undefined` where it would. Affinity,
 * taints and resources are accepted and mean nothing here.
 */
export function unschedulable(pod: KubeObject, node: KubeObject | undefined): string | undefined {
  const cordoned = valueAt(node, 'spec', 'unschedulable') === true;
  if (cordoned) return '0/1 nodes are available: 1 node(s) were unschedulable.';
  const labels = node?.metadata.labels ?? {};
  const selector = Object.entries(objectOf(podSpecOf(pod).nodeSelector));
  if (selector.every(([label, value]) => labels[label] === value)) return undefined;
  return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
}
