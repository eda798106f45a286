import { digest } from '../../engine/digest.ts';
import type { EtcdSpec } from './resource.ts';

/**
 * What of the spec a pod or claim was made for, noted on it, so that one that could not begin can be told to be out
 * of date when the spec is corrected. It is a digest, because the API server adds defaults to what is compared.
 */
export const madeForAnnotation = 'quorate.io/made-for';

/** Of a pod: all that decides where it can run. */
export function podMadeFor({ pod = {} }: EtcdSpec): string {
  const { nodeSelector, affinity, antiAffinity, tolerations, resources } = pod;
  return digest({ nodeSelector, affinity, antiAffinity, tolerations, resources });
}

/** On a pod, as JSON: the digest of each part of `spec.pod` that it was made with, so that later changes can be told. */
export const madeWithAnnotation = 'quorate.io/made-with';

/**
 * The parts of `spec.pod` that become part of a pod, each with its digest; one that asks for nothing counts as absent.
 * Variables are not among them: they are secret, and compared as they are in the pod.
 */
export function podMadeWith({ pod = {} }: EtcdSpec): Record<string, string> {
  const { labels, annotations, nodeSelector, affinity, antiAffinity, tolerations, resources } = pod;
  const { securityContext, ClusterDomain } = pod;
  const parts = {
    ...{ labels, annotations, nodeSelector, affinity, antiAffinity, tolerations, resources },
    ...{ securityContext, ClusterDomain },
  };
  const asked = Object.entries(parts).filter(([, value]) => !isNothing(value));
  return Object.fromEntries(asked.map(([field, value]) => [field, digest(value)]));
}

const isNothing = (value: unknown): boolean =>
  !value || (typeof value === 'object' && Object.keys(value).length === 0);

/** Of a claim: its spec. `undefined` where members have no claims. */
export function claimMadeFor({ pod }: EtcdSpec): string | undefined {
  const spec = pod?.persistentVolumeClaimSpec;
  return spec === undefined ? undefined : digest(spec);
}
