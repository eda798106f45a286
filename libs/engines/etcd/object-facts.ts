import { type KubeCondition, type KubeObject, labels } from '../../kube/object.ts';
import type { ClaimFact, NodeFact, OwnedFact, ResourceFact, ShapedFact } from './facts.ts';
import { identityAnnotation, parseIdentity } from './identity.ts';
import { madeForAnnotation } from './made-for.ts';

/** What Kubernetes' objects say, as facts. Pure. Pods have a file of their own. */

/** The API's times are whole seconds; a missing one counts as long ago. */
export const timeOf = (time: string | undefined): number => Date.parse(time ?? '') || 0;

/** The API server puts it on what is deleted with the propagation policy Orphan (Kubernetes, "Garbage Collection"). */
const orphanFinalizer = 'orphan';

export function resourceFact({ metadata }: KubeObject): ResourceFact {
  const { uid = '', resourceVersion = '', creationTimestamp, deletionTimestamp, annotations } = metadata;
  const { finalizers } = metadata;
  return {
    uid,
    resourceVersion,
    createdAtMs: timeOf(creationTimestamp),
    deleting: deletionTimestamp !== undefined,
    orphaning: deletionTimestamp !== undefined && (finalizers ?? []).includes(orphanFinalizer),
    identity: parseIdentity(annotations?.[identityAnnotation]),
  };
}

export function ownedFact({ metadata }: KubeObject): OwnedFact {
  const owner = metadata.ownerReferences?.find(
    (reference) =>
      reference.controller &&
      reference.kind === 'EtcdCluster' &&
      // Of another cluster, labelled as this one by hand, nothing may be taken for a leftover.
      reference.name === metadata.labels?.[labels.cluster],
  );
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    ownerUid: owner?.uid ?? null,
    deleting: metadata.deletionTimestamp !== undefined,
  };
}

export function claimFact(claim: KubeObject): ClaimFact {
  const { resourceVersion = '', creationTimestamp, annotations } = claim.metadata;
  const spec = claim['spec'] as { storageClassName?: string } | undefined;
  const status = claim['status'] as { phase?: string } | undefined;
  return {
    ...ownedFact(claim),
    resourceVersion,
    phase: status?.phase ?? 'Pending',
    createdAtMs: timeOf(creationTimestamp),
    storageClass: spec?.storageClassName ?? null,
    madeFor: annotations?.[madeForAnnotation] ?? null,
  };
}

export const shapedFact =
  (shape: (object: KubeObject) => string) =>
  (object: KubeObject): ShapedFact => ({ ...ownedFact(object), shape: shape(object) });

export function nodeFact(node: KubeObject): NodeFact {
  const { conditions = [] } = (node['status'] ?? {}) as { conditions?: KubeCondition[] };
  const ready = conditions.find(({ type }) => type === 'Ready');
  return {
    ready: ready?.status === 'True',
    words: ready ? `${ready.reason}: ${ready.message}` : 'it has never reported',
    sinceMs: timeOf(ready?.lastTransitionTime),
  };
}
