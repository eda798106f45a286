import type { Step } from '../../engine/contract.ts';
import type { KubeObject } from '../../kube/object.ts';
import { isBeforeChange } from './facts.ts';
import { type ClusterIdentity, metadata, selector } from './objects.ts';
import type { AddMember, RemoveMember } from './steps/membership.ts';
import type { Membership } from './view.ts';
import type { World } from './world.ts';

/**
 * The PodDisruptionBudget of a cluster: what `kubectl drain` waits for. It lets go of one pod at a time, and of that
 * only where the voters left keep quorum with one less.
 */
export function disruptionBudget(cluster: ClusterIdentity, minAvailable: number): KubeObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(cluster, cluster.name),
    spec: { minAvailable, selector: { matchLabels: selector(cluster) } },
  };
}

/** What of a budget matters to us, as text. */
export function budgetShape(budget: KubeObject): string {
  const spec = (budget['spec'] ?? {}) as {
    minAvailable?: number | string;
    maxUnavailable?: number | string;
    selector?: { matchLabels?: Record<string, string>; matchExpressions?: unknown[] };
  };
  const selected = Object.entries(spec.selector?.matchLabels ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .sort();
  const expressions = spec.selector?.matchExpressions ?? [];
  const limit =
    spec.maxUnavailable === undefined
      ? `at least ${spec.minAvailable}`
      : `${mostAway} ${spec.maxUnavailable}`;
  return [limit, selected.join(','), expressions.length].join(' ');
}

const mostAway = 'at most away:';

/**
 * Whether somebody gave it the other kind of limit. An apply adds ours and does not take that away, and the API server
 * refuses a budget with both.
 */
export const hasOtherLimit = (shape: string): boolean => shape.startsWith(mostAway);

/**
 * How many pods must stay ready: all but one, or all where fewer than three members vote, so that the loss of one
 * more could take quorum away. Learners count as pods and never as voters, and so does a pod that etcd does not
 * list any more until it is gone: it may still be ready, and must not make up for a voter.
 *
 * What this pass changes counts already, as far as it makes the number higher: a newcomer may vote before its pod is
 * ready, and one that is removed or restarted stays ready for a moment. What makes it lower waits for the next pass.
 */
export function minAvailable(world: World, membership: Membership, steps: Step[]): number {
  const added = steps.filter(({ step }) => step === 'addMember').map(({ args }) => (args as AddMember).name);
  const removed = steps.filter(
    ({ step, args }) => step === 'removeMember' && !(args as RemoveMember).isLearner,
  );
  const names = new Set([
    ...membership.members.map(({ name }) => name),
    ...world.pods.map(({ name }) => name),
    ...added,
  ]);
  const voters = membership.voters.length - removed.length;
  return names.size - (voters >= 3 && !isRestarting(world, steps) ? 1 : 0);
}

/** A voter is restarted now, or was just told to, and its pod is still ready as the one that it was. */
const isRestarting = ({ pods }: World, steps: Step[]): boolean =>
  steps.some(({ step, disruptive }) => step === 'setImage' && disruptive) || pods.some(isBeforeChange);
