import type { ResourceDefinition } from '../kube/definition.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Plan } from './contract.ts';

/** Whose clusters one Quorate looks after, where others may work beside it in one Kubernetes cluster. */
export interface Scope {
  /** Only those of these namespaces; those of every namespace where it is `undefined`. */
  namespaces?: readonly string[] | undefined;
  /** Of every namespace, only those that ask for an operator of the whole Kubernetes cluster. */
  annotatedOnly: boolean;
}

export const everything: Scope = { annotatedOnly: false };

/**
 * Why the resource is left to another operator; `undefined` where it is ours. The rule is that of the coreos
 * etcd-operator (pkg/controller/informer.go, `managed`), but that one for every namespace may take them all. An engine
 * without such an annotation has nothing to leave to anybody. Pure.
 */
export function leftAlone(
  { namespaces, annotatedOnly }: Scope,
  { clusterWide }: ResourceDefinition,
  { metadata }: KubeObject,
): string | undefined {
  if (clusterWide === undefined) return undefined;
  const { annotation, value } = clusterWide;
  const said = metadata.annotations?.[annotation];
  if (namespaces !== undefined)
    return said === undefined
      ? undefined
      : `its annotation ${annotation} leaves it to an operator of every namespace`;
  if (!annotatedOnly || said === value) return undefined;
  return `without the annotation ${annotation}: ${value} it is left to an operator of its namespace`;
}

/** What is decided then: another operator may be at work, so there is nothing to do and nothing to say. */
export const notOurs = (why: string): Plan => ({
  reason: 'NotOurs',
  message: why,
  steps: [],
  status: undefined,
});
