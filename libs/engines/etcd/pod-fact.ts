import type { KubeObject } from '../../kube/object.ts';
import type { Hindrance, PodFact } from './facts.ts';
import { madeForAnnotation } from './made-for.ts';
import { changedFromAnnotation, versionAnnotation } from './names.ts';
import { ownedFact, timeOf } from './object-facts.ts';

/** What a pod says of itself, as a fact. Pure. */

interface PodShape {
  spec?: {
    nodeName?: string;
    containers?: { image?: string }[];
    volumes?: { persistentVolumeClaim?: { claimName?: string } }[];
  };
  status?: PodStatus;
}

interface PodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  podIP?: string;
  conditions?: {
    type: string;
    status: string;
    reason?: string;
    message?: string;
    lastTransitionTime?: string;
  }[];
  containerStatuses?: ContainerStatus[];
}

interface ContainerStatus {
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
  exitCode?: number;
  message?: string;
}

export function podFact(pod: KubeObject): PodFact {
  const { spec, status } = pod as PodShape;
  const { annotations, deletionTimestamp, creationTimestamp, resourceVersion = '' } = pod.metadata;
  const claimName = spec?.volumes?.find((volume) => volume.persistentVolumeClaim)?.persistentVolumeClaim
    ?.claimName;
  return {
    ...ownedFact(pod),
    resourceVersion,
    // Nobody answers where the container has ended, and with its network gone not even a refusal comes back: asking
    // would cost every pass its whole patience.
    ip: (!status?.containerStatuses?.[0]?.state?.terminated && status?.podIP) || null,
    nodeName: spec?.nodeName || null,
    phase: status?.phase ?? 'Pending',
    ready: conditionOf(status, 'Ready')?.status === 'True',
    version: annotations?.[versionAnnotation] ?? '',
    containerId: status?.containerStatuses?.[0]?.containerID ?? null,
    changedFrom: annotations?.[changedFromAnnotation] ?? null,
    image: spec?.containers?.[0]?.image ?? '',
    hasRun: hasRun(status?.containerStatuses?.[0]),
    claimName: claimName ?? null,
    madeFor: annotations?.[madeForAnnotation] ?? null,
    trouble: podTrouble(status),
    hindrance: hindranceOf(status, timeOf(creationTimestamp)),
    endsByMs: deletionTimestamp === undefined ? null : timeOf(deletionTimestamp),
  };
}

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
  const container = status?.containerStatuses?.[0];
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

function hindranceOf(status: PodStatus | undefined, createdAtMs: number): Hindrance | null {
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
  const { state, lastState } = status?.containerStatuses?.[0] ?? {};
  const { waiting, running } = state ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
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
