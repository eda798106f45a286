import type { Condition } from '../../engine/contract.ts';
import { type Hindrance, isKept, type NodeFact, type PodFact } from './facts.ts';
import type { World } from './world.ts';

/**
 * What outside of etcd keeps a cluster from being as it is asked for: its nodes, the scheduler, storage, images. For
 * the condition Degraded, which names the object, Kubernetes' own words and what a person can do. Pure.
 */
export interface Cause {
  reason: (typeof precedence)[number];
  /** What it hinders, e.g. `example-1`. */
  object: string;
  /** What is the matter, after the names of the objects. */
  problem: string;
  action: string;
  sinceMs: number;
}

/** The most telling first: what comes later often follows from what comes before. */
const precedence = [
  'NodeNotReady',
  'PodTerminating',
  'ClaimPending',
  'Unschedulable',
  'ImagePull',
  'ContainerFailing',
  'PodFailed',
] as const;

/** What is normal for a moment, e.g. a pod that waits until its claim is bound, is no cause before so long. */
const patienceMs = 5000;
/** A container that has run for so long again has got over what ended it. */
const settledMs = 20_000;

/** The condition for these causes, and when to look again for one that is still given time. */
export function degraded(world: World): { condition: Condition; requeueAfterMs?: number } {
  const found = causesOf(world);
  const lasting = found.filter(({ sinceMs }) => world.nowMs - sinceMs >= patienceMs);
  const early = found.filter((cause) => !lasting.includes(cause));
  const requeueAfterMs = Math.min(...early.map(({ sinceMs }) => sinceMs + patienceMs - world.nowMs));
  return {
    condition: conditionOf(lasting),
    ...(early.length > 0 && { requeueAfterMs }),
  };
}

function conditionOf(causes: Cause[]): Condition {
  const [first] = causes;
  if (!first) {
    const message = 'nothing outside the cluster hinders it';
    return { type: 'Degraded', status: 'False', reason: 'NoHindrance', message };
  }
  // One sentence for all that suffer from the same.
  const same = new Map<string, string[]>();
  for (const { object, problem, action } of causes) {
    const said = `${problem}. What you can do: ${action}.`;
    same.set(said, [...(same.get(said) ?? []), object]);
  }
  const message = [...same].map(([said, objects]) => `${objects.join(', ')}: ${said}`).join(' ');
  return { type: 'Degraded', status: 'True', reason: first.reason, message };
}

function causesOf(world: World): Cause[] {
  const found = world.pods.flatMap((pod) => [
    ...nodeCause(world, pod),
    ...terminatingCause(world, pod),
    ...podCause(world, pod),
  ]);
  return found.sort(
    (a, b) => precedence.indexOf(a.reason) - precedence.indexOf(b.reason) || (a.object < b.object ? -1 : 1),
  );
}

/** `null` where the node is gone; `undefined` where it is well, or could not be asked. */
function badNode({ facts }: World, { nodeName }: PodFact): NodeFact | null | undefined {
  const answer = nodeName === null ? undefined : facts.nodes[nodeName];
  if (!answer?.ok || answer.value?.ready) return undefined;
  return answer.value;
}

function nodeCause(world: World, pod: PodFact): Cause[] {
  const node = badNode(world, pod);
  if (node === undefined) return [];
  const { name: object, nodeName } = pod;
  const said =
    node === null
      ? {
          problem: `its node ${nodeName} does not exist any more`,
          action: 'nothing: Kubernetes deletes such pods after a minute or two',
        }
      : {
          problem: `its node ${nodeName} is not ready (${plain(node.words)})`,
          action: `bring the node back; if its machine is gone for good, kubectl delete node ${nodeName}`,
        };
  return [{ reason: 'NodeNotReady', object, ...said, sinceMs: node?.sinceMs ?? 0 }];
}

/** A pod should have ended and is still there: nobody has confirmed that its process does not run any more. */
function terminatingCause(world: World, pod: PodFact): Cause[] {
  if (pod.endsByMs === null) return [];
  const isLost = badNode(world, pod) !== undefined;
  const why = isLost ? `its node ${pod.nodeName} does not confirm it` : 'it has not';
  const wait = 'see kubectl describe pod for what it waits for';
  const force = `if the machine is gone for good, kubectl delete node ${pod.nodeName}, or, only when its etcd certainly runs no more, kubectl delete pod ${pod.name} --force --grace-period=0`;
  return [
    {
      reason: 'PodTerminating',
      object: pod.name,
      problem: `it should have ended by ${new Date(pod.endsByMs).toISOString()} and ${why}`,
      action: isLost ? force : wait,
      sinceMs: pod.endsByMs,
    },
  ];
}

function podCause(world: World, pod: PodFact): Cause[] {
  const { hindrance } = pod;
  // What a pod says of itself is out of date where its node is lost, and does not matter where it is going.
  if (!hindrance || pod.deleting || badNode(world, pod) !== undefined) return [];
  const { reason, sinceMs, runsSinceMs } = hindrance;
  if (runsSinceMs !== null && world.nowMs - runsSinceMs >= settledMs) return [];
  const claim = claimCause(world, pod, hindrance);
  if (claim) return [claim];
  const problem = `${problems[reason]}: ${plain(hindrance.words)}`;
  return [{ reason, object: pod.name, problem, action: actions[reason], sinceMs }];
}

/** A pod that cannot be scheduled because of its claim. */
function claimCause(world: World, pod: PodFact, { reason, words, sinceMs }: Hindrance): Cause | undefined {
  const claim = world.claims.find(({ name }) => name === pod.claimName);
  if (reason !== 'Unschedulable' || !claim || !isKept(claim) || claim.phase === 'Bound') return undefined;
  // With a storage class that waits for the first consumer, a claim is pending because its pod is.
  if (!/claim|volume|storage/i.test(words)) return undefined;
  const storageClass = claim.storageClass === null ? 'the default one' : `"${claim.storageClass}"`;
  return {
    reason: 'ClaimPending',
    object: pod.name,
    problem: `its claim is ${claim.phase} (storage class: ${storageClass}), so it cannot be scheduled: ${plain(words)}`,
    action:
      'make that storage class or a volume that fits, or correct spec.pod.persistentVolumeClaimSpec; what was never bound is made again',
    sinceMs: Math.max(sinceMs, claim.createdAtMs),
  };
}

const plain = (words: string): string => words.trim().replace(/\.$/, '');

const problems: Record<Hindrance['reason'], string> = {
  Unschedulable: 'no node takes its pod',
  ImagePull: 'its image cannot be pulled',
  ContainerFailing: 'its container does not keep running',
  PodFailed: 'its pod has ended for good',
};

const actions: Record<Hindrance['reason'], string> = {
  Unschedulable:
    'make room or uncordon a node, or correct spec.pod (nodeSelector, affinity, tolerations, resources); pods that were never scheduled are made again',
  ImagePull:
    'correct spec.repository, or spec.version if it was just set, or let the node reach the registry; a pod that waits for its image gets the corrected one',
  ContainerFailing: 'read its log: kubectl logs, with --previous for the run before',
  PodFailed: 'see kubectl describe pod; where its data is kept, the member returns by itself',
};
