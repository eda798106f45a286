import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** For services that see secrets: what keeps them out of what the service stores. */
export const digestSettings = z.object({
  QUORATE_DIGEST_KEY: z
    .string()
    .min(16, 'use at least 16 characters')
    .optional()
    .describe(
      'Keys the digests that stand for secrets in events and records, so that those of different processes can be compared; without it, every process takes a random one. Secret.',
    ),
});

export function digestKeyOf(config: z.infer<typeof digestSettings>): string {
  return config.QUORATE_DIGEST_KEY ?? randomBytes(32).toString('hex');
}
