import type { KubeObject } from '../../kube/object.ts';
import { findImage, type ImageTable } from './images.ts';
import { unschedulable } from './scheduling.ts';
import { podSpecOf, podStatusOf, Waiting } from './spec.ts';
import { mergeConditions } from './status.ts';
import type { ClaimFolder } from './volumes.ts';

export const nodeName = 'sandbox';

/** Says on a pod which programs really run, as the sandbox has those of the machine and not those of the image. */
const runsAnnotation = 'sandbox.quorate.io/runs';

/**
 * The pod as the scheduler and the kubelet would leave it: bound, with its address; or unschedulable, with the reason.
 */
export function bindPod(
  pod: KubeObject,
  node: {
    object: KubeObject | undefined;
    claimFolder: ClaimFolder;
    images: ImageTable;
    hostAddress: string;
    podAddress: () => string;
    now: string;
  },
): KubeObject {
  const spec = podSpecOf(pod);
  const previous = podStatusOf(pod);
  const conditions = previous.conditions ?? [];
  try {
    const obstacle = unschedulable(pod, node.object);
    if (obstacle !== undefined) throw new Waiting('Unschedulable', obstacle);
    for (const { persistentVolumeClaim } of spec.volumes ?? []) {
      if (persistentVolumeClaim)
        node.claimFolder(pod.metadata.namespace ?? '', persistentVolumeClaim.claimName);
    }
  } catch (error) {
    if (!(error instanceof Waiting)) throw error;
    const why = { status: 'False', reason: error.reason, message: error.message } as const;
    const scheduled = mergeConditions(conditions, [{ type: 'PodScheduled', ...why }], node.now);
    return { ...pod, status: { ...previous, phase: 'Pending', conditions: scheduled } };
  }
  const address = node.podAddress();
  return {
    ...withPrograms(pod, node.images),
    spec: { ...spec, nodeName },
    status: {
      ...previous,
      phase: 'Pending',
      hostIP: node.hostAddress,
      hostIPs: [{ ip: node.hostAddress }],
      podIP: address,
      podIPs: [{ ip: address }],
      startTime: node.now,
      conditions: mergeConditions(conditions, [{ type: 'PodScheduled', status: 'True' }], node.now),
    },
  };
}

/** The pod with the note of what really runs; the very same object where that is noted already. */
export function withPrograms(pod: KubeObject, images: ImageTable): KubeObject {
  const runs = programsOf(pod, images);
  const { annotations } = pod.metadata;
  if (runs === '' || annotations?.[runsAnnotation] === runs) return pod;
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...annotations, [runsAnnotation]: runs } } };
}

/** What Kubernetes says of the pods of a node that it has lost: nothing but that they are not ready. */
export function withoutReady(pod: KubeObject, now: string): KubeObject {
  const status = podStatusOf(pod);
  const conditions = mergeConditions(status.conditions ?? [], [{ type: 'Ready', status: 'False' }], now);
  return { ...pod, status: { ...status, conditions } };
}

/** The pod as it is when its node comes back, before it is given its new address. */
export function withoutAddress(pod: KubeObject): KubeObject {
  const { podIP: _podIP, podIPs: _podIPs, ...status } = podStatusOf(pod);
  return { ...pod, status };
}

/** What the images of a pod's containers really are, each once. */
function programsOf(pod: KubeObject, images: ImageTable): string {
  const known = new Set([...images.values()]);
  const all = podSpecOf(pod).containers.flatMap(({ image = '', command = [] }) => {
    try {
      const found = findImage(images, image, command.length > 0);
      return known.has(found) ? [found.runs] : [];
    } catch {
      // An image that does not exist runs nothing; the container itself will say so.
      return [];
    }
  });
  return [...new Set(all)].join(', ');
}
