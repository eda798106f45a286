import { z } from 'zod';
import { settings } from '../../libs/service/config.ts';

export const watcherSettings = settings.extend({
  QUORATE_DIGEST_KEY: z
    .string()
    .min(16, 'use at least 16 characters')
    .optional()
    .describe(
      'Keys the digests by which events tell that a Secret changed, so that digests of different processes can be compared; without it, every process takes a random one. Secret.',
    ),
});
