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

/** Of a claim: its spec. `undefined` where members have no claims. */
export function claimMadeFor({ pod }: EtcdSpec): string | undefined {
  const spec = pod?.persistentVolumeClaimSpec;
  return spec === undefined ? undefined : digest(spec);
}
