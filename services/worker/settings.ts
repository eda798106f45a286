import { z } from 'zod';
import { retentionSettings } from '../../libs/bus/retention.ts';
import { redisSettings, settings } from '../../libs/service/config.ts';
import { digestSettings } from '../../libs/service/digest-key.ts';

export const workerSettings = settings.extend({
  ...redisSettings.shape,
  ...retentionSettings.shape,
  ...digestSettings.shape,
  QUORATE_CLUSTER_WIDE: z
    .enum(['all', 'annotated'])
    .default('all')
    .describe(
      'Which clusters are looked after where it is those of every namespace: `all`, or `annotated`, only those that have the annotation `etcd.database.coreos.com/scope: clusterwide`, beside operators for single namespaces, which leave these alone.',
    ),
  QUORATE_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe('How many clusters one worker works on at once; passes mostly wait for answers.'),
  QUORATE_LOCK_MS: z.coerce
    .number()
    .int()
    .min(1000)
    .default(5000)
    .describe('How long after a worker was last heard of another takes its task over, in milliseconds.'),
  QUORATE_RESYNC_MS: z.coerce
    .number()
    .int()
    .min(1000)
    .default(7_200_000)
    .describe(
      'The longest time that a cluster at rest is only looked at, in milliseconds; then it gets a pass. As often, clusters are listed, as a net under events that were lost.',
    ),
});
