import type { ActContext, StepOutcome } from '../../../engine/contract.ts';
import { isError } from '../../../errors/catalogue.ts';
import { type KubeObject, resourceTypes } from '../../../kube/object.ts';
import { changedFromAnnotation, versionAnnotation } from '../names.ts';
import { containerName } from '../objects.ts';
import { firstQuorate, idsOf, quorateOf } from './membership.ts';

export interface SetImage {
  /** The pod that was seen. */
  name: string;
  uid: string;
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
  status?: { containerStatuses?: { containerID?: string }[] };
}

/**
 * Changes the image of a running pod, which Kubernetes allows: the kubelet ends the container in order and starts it
 * again with the new image, and the pod keeps its uid, its address and its volumes. The change is noted on the pod
 * together with the container that it found, so that everybody can see until when that one still runs.
 */
export async function setImage(args: SetImage, context: ActContext): Promise<StepOutcome> {
  const { name, uid, version, image, voter } = args;
  const obstacle = voter && (await obstacleTo(voter, context.signal));
  if (obstacle !== undefined) return { outcome: 'moved', detail: obstacle };
  const { namespace } = context.key;
  const pod = (await context.kube.get(resourceTypes.pod, namespace, name, context.signal)) as Pod | undefined;
  if (pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined) {
    return { outcome: 'moved', detail: 'the pod is another one by now, or is being deleted' };
  }
  const present = pod.spec.containers.find((container) => container.name === containerName)?.image;
  if (present === image && pod.metadata.annotations?.[versionAnnotation] === version)
    return { outcome: 'nothing', detail: 'it has that image already' };
  const containers = pod.spec.containers.map((container) =>
    container.name === containerName ? { ...container, image } : container,
  );
  const running = pod.status?.containerStatuses?.[0]?.containerID;
  const annotations = { [versionAnnotation]: version, [changedFromAnnotation]: running ?? null };
  // A merge patch replaces the list of containers as a whole, so it must be that of the pod as it was just read.
  const { resourceVersion } = pod.metadata;
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
