import type { ActContext, StepOutcome } from '../../../engine/contract.ts';
import { isError, QuorateError } from '../../../errors/catalogue.ts';
import { type KubeObject, resourceTypes } from '../../../kube/object.ts';
import { formatIdentity, type Identity, identityAnnotation } from '../identity.ts';
import { nameFromPeerUrls } from '../names.ts';
import { etcdResourceType } from '../resource.ts';
import { firstQuorate } from './membership.ts';

/** Steps on Kubernetes objects. Each touches exactly the object that was seen, by uid. */

export interface RecordIdentity {
  uid: string;
  resourceVersion: string;
  identity: Identity;
}

export interface ApplyObject {
  type: 'service' | 'budget';
  object: KubeObject;
}

export interface CreateObject {
  type: 'pod' | 'claim';
  object: KubeObject;
}

export interface DeleteObject {
  type: 'pod' | 'claim' | 'service' | 'budget';
  name: string;
  uid: string;
  /** Delete only if nothing of it has changed since. */
  resourceVersion?: string;
  /** Delete only if members that reach quorum confirm that they list no member of this name. */
  unlisted?: { name: string; endpoints: string[] };
}

/** Writes the identity, unless the resource has changed since it was read. */
export async function recordIdentity(args: RecordIdentity, context: ActContext): Promise<StepOutcome> {
  const { namespace, name } = context.key;
  const { uid, resourceVersion, identity } = args;
  const metadata = { uid, resourceVersion, annotations: { [identityAnnotation]: formatIdentity(identity) } };
  try {
    await context.kube.patch(etcdResourceType, namespace, name, { metadata }, context.signal);
    return { outcome: 'done', object: { kind: etcdResourceType.kind, name, uid } };
  } catch (error) {
    if (isError(error, 'KUBE_CONFLICT'))
      return { outcome: 'moved', detail: 'the resource changed since it was read' };
    throw error;
  }
}

/** Makes or mends the object. One that this cluster does not own serves somebody else, and is left alone. */
export async function applyObject({ type, object }: ApplyObject, context: ActContext): Promise<StepOutcome> {
  const { name } = object.metadata;
  const present = await context.kube.get(resourceTypes[type], context.key.namespace, name, context.signal);
  if (present && !hasSameOwner(present, object)) throw nameTaken(type, name);
  const { kube, signal, key } = context;
  if (!present || type !== 'service') return done(await kube.apply(resourceTypes[type], object, signal));
  return done(
    await kube.patch(resourceTypes.service, key.namespace, name, serviceMending(present, object), signal),
  );
}

interface ServiceSpec {
  ports?: object[];
  selector?: Record<string, string>;
  publishNotReadyAddresses?: boolean;
}

/**
 * A merge patch that sets the labels and just what `serviceShape` compares. A server-side apply would keep what somebody else has
 * put there: a port that was changed would stand beside ours under the same name, which the API refuses.
 */
function serviceMending(present: KubeObject, wanted: KubeObject): object {
  const { selector: before = {} } = (present['spec'] ?? {}) as ServiceSpec;
  const { ports, selector, publishNotReadyAddresses } = (wanted['spec'] ?? {}) as ServiceSpec;
  const nothing = Object.fromEntries(Object.keys(before).map((label) => [label, null]));
  return {
    metadata: { uid: present.metadata.uid, labels: wanted.metadata.labels },
    spec: {
      ports,
      selector: { ...nothing, ...selector },
      publishNotReadyAddresses: publishNotReadyAddresses ?? null,
    },
  };
}

const done = ({ kind, metadata: { name, uid = '' } }: KubeObject): StepOutcome => ({
  outcome: 'done',
  object: { kind, name, uid },
});

const hasSameOwner = (present: KubeObject, wanted: KubeObject): boolean =>
  present.metadata.ownerReferences?.some(
    (reference) => reference.uid === wanted.metadata.ownerReferences?.[0]?.uid,
  ) ?? false;

const nameTaken = (type: string, name: string): QuorateError =>
  new QuorateError('NAME_TAKEN', `${type} ${name} exists and is not of this cluster`, { type, name });

/** Creates the object. One that this cluster already owns under that name is as good; anybody else's is not. */
export async function createObject(
  { type, object }: CreateObject,
  context: ActContext,
): Promise<StepOutcome> {
  const { namespace } = context.key;
  const { name } = object.metadata;
  try {
    return done(await context.kube.create(resourceTypes[type], object, context.signal));
  } catch (error) {
    if (!isError(error, 'KUBE_EXISTS')) throw error;
  }
  const present = await context.kube.get(resourceTypes[type], namespace, name, context.signal);
  if (!present || present.metadata.deletionTimestamp !== undefined) {
    return { outcome: 'moved', detail: `another ${type} named ${name} is being deleted` };
  }
  if (!hasSameOwner(present, object)) throw nameTaken(type, name);
  return { outcome: 'nothing', detail: 'it exists already' };
}

export async function deleteObject(args: DeleteObject, context: ActContext): Promise<StepOutcome> {
  const { type, name, uid, resourceVersion, unlisted } = args;
  if (unlisted) {
    const members = await firstQuorate(unlisted.endpoints, context.signal, (client) => client.members());
    if (members === undefined) return { outcome: 'moved', detail: 'no member confirms who is a member' };
    if (members.some((member) => nameFromPeerUrls(member.peerUrls) === unlisted.name)) {
      return { outcome: 'moved', detail: `etcd lists ${unlisted.name} as a member` };
    }
  }
  try {
    const result = await context.kube.delete(
      resourceTypes[type],
      context.key.namespace,
      name,
      { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      context.signal,
    );
    if (result === 'gone') return { outcome: 'nothing', detail: 'it was gone already' };
    return { outcome: 'done', object: { kind: resourceTypes[type].kind, name, uid } };
  } catch (error) {
    if (isError(error, 'KUBE_CONFLICT'))
      return { outcome: 'moved', detail: 'it is another object by now, or has changed' };
    throw error;
  }
}
