import type { ContainerStatus, PodCondition, PodStatus } from './spec.ts';

/** What the node knows of a pod that it runs. */
export interface PodView {
  restartPolicy: 'Always' | 'OnFailure' | 'Never';
  initContainers: ContainerStatus[];
  containers: ContainerStatus[];
}

/**
 * The status of a pod from that of its containers, as the kubelet derives it. What `previous` holds besides is kept;
 * a condition's transition time moves only when its status does.
 */
export function podStatus(previous: PodStatus, view: PodView, now: string): PodStatus {
  const initialized = view.initContainers.every(({ state }) => state.terminated?.exitCode === 0);
  const phase = phaseOf(view, initialized);
  const completed = phase === 'Succeeded' ? { reason: 'PodCompleted' } : undefined;
  const waitingFor = (reason: string, message: string, containers: ContainerStatus[]) =>
    completed ?? { reason, message: `${message}: [${containers.map(({ name }) => name).join(' ')}]` };
  const unready = view.containers.filter(({ ready }) => !ready);
  const unfinished = view.initContainers.filter(({ state }) => state.terminated?.exitCode !== 0);
  const notReady = waitingFor('ContainersNotReady', 'containers with unready status', unready);
  const notInitialized = waitingFor(
    'ContainersNotInitialized',
    'containers with incomplete status',
    unfinished,
  );
  const ready = initialized && unready.length === 0;
  const known = [
    condition('PodScheduled', true, {}),
    condition('Initialized', initialized, notInitialized),
    condition('ContainersReady', ready, notReady),
    condition('Ready', ready, notReady),
  ];
  return {
    ...previous,
    phase,
    conditions: mergeConditions(previous.conditions ?? [], known, now),
    ...(view.initContainers.length > 0 ? { initContainerStatuses: view.initContainers } : {}),
    containerStatuses: view.containers,
  };
}

/** `next` in place of those of the same type, each with the time at which its status last changed. */
export function mergeConditions(previous: PodCondition[], next: PodCondition[], now: string): PodCondition[] {
  const types = new Set(next.map(({ type }) => type));
  const others = previous.filter(({ type }) => !types.has(type));
  const merged = next.map((fresh) => {
    const before = previous.find(({ type }) => type === fresh.type);
    const since = before?.status === fresh.status ? before.lastTransitionTime : undefined;
    return { ...fresh, lastTransitionTime: since ?? now };
  });
  return [...merged, ...others];
}

function phaseOf({ restartPolicy, initContainers, containers }: PodView, initialized: boolean): string {
  const failed = ({ state }: ContainerStatus) =>
    state.terminated !== undefined && state.terminated.exitCode !== 0;
  if (!initialized) return restartPolicy === 'Never' && initContainers.some(failed) ? 'Failed' : 'Pending';
  if (containers.some(({ state, lastState }) => state.waiting && !lastState.terminated)) return 'Pending';
  const ended = containers.every(({ state }) => state.terminated !== undefined);
  if (!ended || restartPolicy === 'Always') return 'Running';
  if (!containers.some(failed)) return 'Succeeded';
  return restartPolicy === 'Never' ? 'Failed' : 'Running';
}

function condition(type: string, holds: boolean, why: { reason?: string; message?: string }): PodCondition {
  return holds ? { type, status: 'True' } : { type, status: 'False', ...why };
}
