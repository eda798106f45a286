import { type BlockedParts, readBlocked } from '../../../libs/engine/blocked.ts';
import type { Decision } from '../../../libs/engine/decision.ts';
import { formatKey } from '../../../libs/kube/key.ts';
import { type KubeObject, labels } from '../../../libs/kube/object.ts';

/** What people are shown of one cluster. */
export interface ClusterView {
  key: string;
  phase: string;
  wanted: number | undefined;
  version: string;
  /** The running reason why it is as it is, from conditions that hold, worst first. */
  notes: Note[];
  /** Available with all members ready, nothing in progress, and the status is about the present spec. */
  settled: boolean;
  members: MemberView[];
  /** What the last pass found and decided, where a record of it was seen. */
  lastPass?: { time: string; reason: string; message: string; steps: string[] };
}

export interface Note {
  type: string;
  message: string;
  /** The parts of the message, where it says what blocks the cluster. */
  blocked?: BlockedParts;
}

export interface MemberView {
  name: string;
  number: number | undefined;
  ready: boolean;
  /** In one word, e.g. `ready`, `starting`, `Terminating`, `CrashLoopBackOff`, `no pod`. */
  state: string;
  /** In the engine's own words, e.g. `leader`; empty where nothing is known. */
  role: string;
  address: string;
  restarts: number;
}

interface Status {
  phase?: string;
  currentVersion?: string;
  observedGeneration?: number;
  members?: { ready?: string[]; unready?: string[] };
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
}

interface PodStatus {
  phase?: string;
  podIP?: string;
  conditions?: { type: string; status: string }[];
  containerStatuses?: {
    restartCount?: number;
    state?: { waiting?: { reason?: string }; terminated?: { reason?: string } };
  }[];
}

/** Conditions that mean work or trouble, in the order in which they matter to a reader. */
const inProgress = ['Blocked', 'Recovering', 'Upgrading', 'Scaling'];

/** One cluster as it is shown: its resource, those of `pods` that are its own, the roles by pod name. Pure. */
export function viewCluster(
  engine: string,
  resource: KubeObject,
  pods: readonly KubeObject[],
  last?: { decision: Decision; roles: Record<string, string> },
): ClusterView {
  const { name, namespace = 'default', generation, deletionTimestamp } = resource.metadata;
  const status = (resource['status'] ?? {}) as Status;
  const spec = (resource['spec'] ?? {}) as { size?: number; version?: string; paused?: boolean };
  const own = pods.filter(
    ({ metadata }) =>
      (metadata.namespace ?? 'default') === namespace &&
      metadata.labels?.[labels.engine] === engine &&
      metadata.labels[labels.cluster] === name,
  );
  const holds = (type: string) =>
    status.conditions?.some((each) => each.type === type && each.status === 'True');
  const notes = inProgress.flatMap((type) => {
    const condition = status.conditions?.find((each) => each.type === type && each.status === 'True');
    if (!condition) return [];
    const message = condition.message || condition.reason || '';
    const blocked = readBlocked(message);
    return [{ type, message, ...(blocked && { blocked }) }];
  });
  const isCurrent = status.observedGeneration === generation;
  const members = viewMembers(status, own, last?.roles ?? {});
  const ready = members.filter((member) => member.ready).length;
  const isWhole = ready === members.length && ready === (spec.size ?? ready);
  return {
    key: formatKey({ engine, namespace, name }),
    phase: deletionTimestamp ? 'Deleting' : spec.paused ? 'Paused' : status.phase || 'Pending',
    wanted: spec.size,
    version: status.currentVersion || spec.version || '',
    notes,
    settled: holds('Available') === true && isWhole && notes.length === 0 && isCurrent && !deletionTimestamp,
    members,
    ...(last ? { lastPass: viewPass(last.decision) } : {}),
  };
}

function viewMembers(
  status: Status,
  pods: readonly KubeObject[],
  roles: Record<string, string>,
): MemberView[] {
  const withPod = pods.map((pod): MemberView => {
    const { name } = pod.metadata;
    const podStatus = (pod['status'] ?? {}) as PodStatus;
    const ready = isReady(podStatus) && pod.metadata.deletionTimestamp === undefined;
    const number = Number(pod.metadata.labels?.[labels.member]);
    return {
      name,
      number: Number.isInteger(number) ? number : undefined,
      ready,
      state: pod.metadata.deletionTimestamp ? 'Terminating' : ready ? 'ready' : stateOf(podStatus),
      role: roles[name] ?? '',
      address: podStatus.podIP ?? '',
      restarts: podStatus.containerStatuses?.reduce((sum, each) => sum + (each.restartCount ?? 0), 0) ?? 0,
    };
  });
  const names = new Set(withPod.map((member) => member.name));
  const listed = [...(status.members?.ready ?? []), ...(status.members?.unready ?? [])];
  const withoutPod = listed
    .filter((name) => !names.has(name))
    .map((name): MemberView => {
      const number = Number(/-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
      const bare = { ready: false, state: 'no pod', role: '', address: '', restarts: 0 };
      return { name, number: Number.isInteger(number) ? number : undefined, ...bare };
    });
  return [...withPod, ...withoutPod].sort(
    (a, b) => (a.number ?? 0) - (b.number ?? 0) || (a.name < b.name ? -1 : 1),
  );
}

const isReady = (status: PodStatus) =>
  status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;

function stateOf(status: PodStatus): string {
  for (const { state } of status.containerStatuses ?? []) {
    const reason = state?.waiting?.reason ?? state?.terminated?.reason;
    if (reason !== undefined) return reason;
  }
  return status.phase === 'Running' ? 'starting' : (status.phase ?? 'Pending').toLowerCase();
}

function viewPass(decision: Decision): NonNullable<ClusterView['lastPass']> {
  return {
    time: decision.time,
    reason: decision.error?.code ?? decision.plan?.reason ?? '',
    message: decision.error?.message ?? decision.plan?.message ?? '',
    steps: decision.steps.map((step) => `${step.step}: ${step.why} (${step.outcome})`),
  };
}
