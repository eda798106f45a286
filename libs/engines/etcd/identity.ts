import { z } from 'zod';

/**
 * The identity of a cluster: what must be remembered even if every pod, claim and service is deleted by hand.
 * It lives in an annotation of the custom resource, because deleting that is deleting the cluster. Each change
 * of it is written before what it allows is done.
 */
export const identityAnnotation = 'quorate.io/identity';

/** Far more than are ever given, and far less than member names can hold: what is higher was not written by us. */
const mostNumbers = 99_999_999;

const identitySchema = z.object({
  /** How many members the cluster was seeded with: numbers 1 to `seeds`. */
  seeds: z.number().int().min(0).max(7),
  /** The highest member number ever given. A number is never given twice. */
  lastNumber: z.number().int().min(0).max(mostNumbers),
  /** True once the seeds have formed a cluster: from then on no member is ever started as a new cluster. */
  formed: z.boolean(),
  /** The version that members are started with, so that no pod made in passing is an upgrade nobody decided. */
  version: z.string(),
  /** While members still run another version than that: the version that they are brought from. */
  upgradingFrom: z.string().optional(),
});

export type Identity = z.infer<typeof identitySchema>;

export type IdentityFact =
  | { state: 'absent' }
  | { state: 'recorded'; identity: Identity }
  | { state: 'damaged'; text: string };

export function parseIdentity(text: string | undefined): IdentityFact {
  if (text === undefined) return { state: 'absent' };
  try {
    const read = identitySchema.safeParse(JSON.parse(text));
    if (read.success) return { state: 'recorded', identity: read.data };
  } catch {
    // Not JSON: damaged like any other text that is no identity.
  }
  return { state: 'damaged', text };
}

export const formatIdentity = (identity: Identity): string => JSON.stringify(identity);
