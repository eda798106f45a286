import type { ActContext, StepOutcome } from '../../../engine/contract.ts';
import { isError } from '../../../errors/catalogue.ts';
import { type KubeObject, resourceTypes } from '../../../kube/object.ts';
import { changedFromAnnotation, containerName, imageAnnotation, versionAnnotation } from '../names.ts';
import { firstQuorate, idsOf, quorateOf } from './membership.ts';

export interface SetImage {
  /** The pod that was seen. */
  name: string;
  uid: string;
  /** As it was seen, where nothing of it may have changed since: what had not run then may run by now. */
  resourceVersion?: string;
  version: string;
  image: string;
  /** Where its process may take part in a quorum: what the others must prove before it is restarted. */
  voter?: {
    id: string;
    /** The other voters, and where they listen. */
    others: { id: string; endpoint: string | null }[];
    /** How many of them must reach quorum. */
    needed: number;
  };
}

interface Pod extends KubeObject {
  spec: { containers: { name: string; image: string }[] };
  status?: { containerStatuses?: { name: string; containerID?: string }[] };
}

/**
 * Changes the image of a running pod, which Kubernetes allows: the kubelet ends the container in order and starts it
 * again with the new image, and the pod keeps its uid, its address and its volumes. The change is noted on the pod
 * together with the container that it found, so that everybody can see until when that one still runs.
 */
export async function setImage(args: SetImage, context: ActContext): Promise<StepOutcome> {
  const { name, uid, resourceVersion: seen, version, image, voter } = args;
  const obstacle = voter && (await obstacleTo(voter, context.signal));
  if (obstacle !== undefined) return { outcome: 'moved', detail: obstacle };
  const { namespace } = context.key;
  const pod = (await context.kube.get(resourceTypes.pod, namespace, name, context.signal)) as Pod | undefined;
  if (pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined) {
    return { outcome: 'moved', detail: 'the pod is another one by now, or is being deleted' };
  }
  const { resourceVersion, annotations: noted } = pod.metadata;
  const present = noted?.[imageAnnotation] ?? pod.spec.containers.find(isEtcd)?.image;
  if (present === image && noted?.[versionAnnotation] === version)
    return { outcome: 'nothing', detail: 'it has that image already' };
  if (seen !== undefined && seen !== resourceVersion)
    return { outcome: 'moved', detail: 'the pod has changed since it was seen' };
  const containers = pod.spec.containers.map((container) =>
    isEtcd(container) ? { ...container, image } : container,
  );
  const running = pod.status?.containerStatuses?.find(isEtcd)?.containerID;
  const annotations = {
    [versionAnnotation]: version,
    [imageAnnotation]: image,
    [changedFromAnnotation]: running ?? null,
  };
  // A merge patch replaces the list of containers as a whole, so it must be that of the pod as it was just read.
  const patch = { metadata: { uid, resourceVersion, annotations }, spec: { containers } };
  try {
    await context.kube.patch(resourceTypes.pod, namespace, name, patch, context.signal);
    return { outcome: 'done', detail: image };
  } catch (error) {
    if (isError(error, 'KUBE_CONFLICT'))
      return { outcome: 'moved', detail: 'the pod changed while it was looked at' };
    throw error;
  }
}

const isEtcd = ({ name }: { name: string }): boolean => name === containerName;

/** Why the voter may not be restarted now, by what the others say. */
async function obstacleTo(
  { id, others, needed }: NonNullable<SetImage['voter']>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const endpoints = others.flatMap((other) => other.endpoint ?? []);
  const able = await quorateOf(endpoints, signal);
  if (able.length < needed) {
    return `only ${able.length} of the other ${others.length} voting members reach quorum, and ${needed} must`;
  }
  const seen = await firstQuorate(able, signal, async (client) => {
    const voters = (await client.members()).filter((member) => !member.isLearner);
    return { voters, leaderId: (await client.status()).leaderId };
  });
  if (seen === undefined) return 'no member reaches quorum any more';
  if (idsOf(seen.voters) !== idsOf([{ id }, ...others]))
    return 'the voting members are others than were seen';
  return seen.leaderId === id ? 'it leads by now' : undefined;
}
