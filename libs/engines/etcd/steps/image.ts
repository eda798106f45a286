import type { ActContext, StepOutcome } from '../../../engine/contract.ts';
import { isError } from '../../../errors/catalogue.ts';
import { resourceTypes } from '../../../kube/object.ts';

export interface SetImage {
  /** The pod. */
  name: string;
  uid: string;
  image: string;
  version: string;
}

/**
 * Gives the etcd of a pod another image, in place: the one thing of a pod's containers that Kubernetes lets change.
 * The kubelet then starts the container anew with it, in the same pod and on the same data.
 */
export async function setImage(args: SetImage, context: ActContext): Promise<StepOutcome> {
  const { name, uid, image, version } = args;
  const { kube, key, signal } = context;
  const pod = await kube.get(resourceTypes.pod, key.namespace, name, signal);
  if (pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined)
    return { outcome: 'moved', detail: 'the pod is gone or going' };
  const { containers = [] } = pod['spec'] as { containers?: { name: string; image?: string }[] };
  if (containers.every((container) => container.name !== 'etcd' || container.image === image))
    return { outcome: 'nothing', detail: 'it has that image already' };
  const { resourceVersion = '' } = pod.metadata;
  const patch = {
    metadata: { uid, resourceVersion, annotations: { 'etcd.version': version } },
    // A merge patch replaces lists as a whole.
    spec: {
      containers: containers.map((container) =>
        container.name === 'etcd' ? { ...container, image } : container,
      ),
    },
  };
  try {
    await kube.patch(resourceTypes.pod, key.namespace, name, patch, signal);
    return { outcome: 'done', detail: image };
  } catch (error) {
    if (isError(error, 'KUBE_CONFLICT'))
      return { outcome: 'moved', detail: 'the pod changed since it was read' };
    throw error;
  }
}
