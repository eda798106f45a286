import { z } from 'zod';
import type { KubeCondition, KubeObject } from '../../kube/object.ts';
import type { Hindrance, MadeWith, PodFact } from './facts.ts';
import { madeForAnnotation, madeWithAnnotation } from './made-for.ts';
import { ownVariables } from './member-pod.ts';
import { changedFromAnnotation, containerName, imageAnnotation, versionAnnotation } from './names.ts';
import { ownedFact, timeOf } from './object-facts.ts';

/** What a pod says of itself, as a fact. Pure. */

interface PodShape {
  spec?: {
    nodeName?: string;
    containers?: { name: string; image?: string; env?: { name: string }[] }[];
    volumes?: { persistentVolumeClaim?: { claimName?: string } }[];
  };
  status?: PodStatus;
}

interface PodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  podIP?: string;
  conditions?: KubeCondition[];
  containerStatuses?: ContainerStatus[];
}

interface ContainerStatus {
  name: string;
  containerID?: string;
  restartCount?: number;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: Terminated;
  };
  lastState?: { terminated?: Terminated };
}

interface Terminated {
  containerID?: string;
  exitCode?: number;
  message?: string;
}

export function podFact(pod: KubeObject): PodFact {
  const { spec, status } = pod as PodShape;
  const { annotations, deletionTimestamp, creationTimestamp, resourceVersion = '' } = pod.metadata;
  const claimName = spec?.volumes?.find((volume) => volume.persistentVolumeClaim)?.persistentVolumeClaim
    ?.claimName;
  const container = containerOf(status);
  const changedFrom = annotations?.[changedFromAnnotation] ?? null;
  return {
    ...ownedFact(pod),
    resourceVersion,
    // Nobody answers where the container has ended, and with its network gone not even a refusal comes back: asking
    // would cost every pass its whole patience.
    ip: (!container?.state?.terminated && status?.podIP) || null,
    nodeName: spec?.nodeName || null,
    phase: status?.phase ?? 'Pending',
    ready: conditionOf(status, 'Ready')?.status === 'True',
    version: annotations?.[versionAnnotation] ?? '',
    containerId: container?.containerID ?? null,
    changedFrom,
    image: annotations?.[imageAnnotation] ?? spec?.containers?.find(isEtcd)?.image ?? '',
    hasRun: hasRun(container),
    claimName: claimName ?? null,
    madeFor: annotations?.[madeForAnnotation] ?? null,
    madeWith: madeWithOf(annotations?.[madeWithAnnotation], spec?.containers?.find(isEtcd)?.env ?? []),
    trouble: podTrouble(status),
    hindrance: hindranceOf(status, timeOf(creationTimestamp), changedFrom),
    endsByMs: deletionTimestamp === undefined ? null : timeOf(deletionTimestamp),
  };
}

/** A note that somebody has changed says nothing. */
function madeWithOf(note: string | undefined, env: { name: string }[]): MadeWith | null {
  if (note === undefined) return null;
  const own = ownVariables.map(({ name }) => name);
  try {
    const parts = z.record(z.string(), z.string()).parse(JSON.parse(note));
    // A variable of the spec may have the name of one of ours, and stands behind it.
    const asked = env.filter(({ name }, index) => name !== own[index]);
    // The API leaves out an empty value; here it is as it was asked for.
    return { parts, env: asked.map((each) => ('valueFrom' in each ? each : { value: '', ...each })) };
  } catch {
    return null;
  }
}

const isEtcd = ({ name }: { name: string }): boolean => name === containerName;

const containerOf = (status: PodStatus | undefined): ContainerStatus | undefined =>
  status?.containerStatuses?.find(isEtcd);

const conditionOf = (status: PodStatus | undefined, type: string) =>
  status?.conditions?.find((condition) => condition.type === type);

const hasRun = (container: ContainerStatus | undefined): boolean =>
  (container?.restartCount ?? 0) > 0 ||
  container?.state?.running !== undefined ||
  container?.state?.terminated !== undefined ||
  container?.lastState?.terminated !== undefined;

/** What keeps a pod from running, in the words of the scheduler or the kubelet. */
function podTrouble(status: PodStatus | undefined): string | null {
  const scheduled = conditionOf(status, 'PodScheduled');
  if (scheduled?.status === 'False')
    return `${scheduled.reason ?? 'not scheduled'}: ${scheduled.message ?? ''}`;
  const container = containerOf(status);
  const waiting = container?.state?.waiting;
  if (waiting?.reason === undefined || isBeginning(waiting.reason)) return status?.reason ?? null;
  const ended = container?.lastState?.terminated;
  return `${waiting.reason}${ended ? ` (${endOf(ended)})` : waiting.message ? `: ${waiting.message}` : ''}`;
}

const isBeginning = (reason: string): boolean =>
  reason === 'ContainerCreating' || reason === 'PodInitializing';

const endOf = ({ exitCode, message = '' }: Terminated): string =>
  `exit code ${exitCode}: ${message.trim().split('\n').at(-1)?.slice(0, 300) ?? ''}`;

/** Reasons for which a kubelet has no image to run, from its `images` package. */
const imageReasons = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
];

function hindranceOf(
  status: PodStatus | undefined,
  createdAtMs: number,
  changedFrom: string | null,
): Hindrance | null {
  const because = (reason: Hindrance['reason'], words: string, since?: string): Hindrance => ({
    reason,
    words,
    sinceMs: since === undefined ? createdAtMs : timeOf(since),
    runsSinceMs: null,
  });
  const scheduled = conditionOf(status, 'PodScheduled');
  if (scheduled?.status === 'False')
    return because('Unschedulable', scheduled.message || 'not scheduled', scheduled.lastTransitionTime);
  const ready = conditionOf(status, 'Ready');
  const since = ready?.lastTransitionTime;
  if (status?.phase === 'Failed') {
    const words = [status.reason ?? 'Failed', status.message].filter(Boolean).join(': ');
    return because('PodFailed', words, since);
  }
  if (ready?.status === 'True') return null;
  const { state, lastState } = containerOf(status) ?? {};
  const { waiting, running } = state ?? {};
  const last = state?.terminated ?? lastState?.terminated;
  // The run that a change of the image has ended did not fail.
  const ended = last?.containerID !== undefined && last.containerID === changedFrom ? undefined : last;
  if (waiting?.reason !== undefined && imageReasons.includes(waiting.reason))
    return because('ImagePull', `${waiting.reason}: ${waiting.message ?? ''}`, since);
  if (ended) {
    const words = `${waiting?.reason ?? 'ended'} (${endOf(ended)})`;
    const runsSinceMs = running ? timeOf(running.startedAt) : null;
    return { ...because('ContainerFailing', words, since), runsSinceMs };
  }
  if (waiting?.reason === undefined || isBeginning(waiting.reason)) return null;
  return because('ContainerFailing', `${waiting.reason}: ${waiting.message ?? ''}`, since);
}
