import { Redis, type RedisOptions } from 'ioredis';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import { backoffMs } from '../service/backoff.ts';

/** The BullMQ queue of a kube: one each, so that a kube that cannot be reached holds up no other. */
export function queueName(kube: string): string {
  return `reconcile-${kube}`;
}

/** Where the names of BullMQ's keys begin. */
export const queuePrefix = 'quorate';

/** The names of our own keys in Redis; whatever is in them may be lost at any time. */
export function keysOf(kube: string) {
  return {
    /** A hash: cluster key → how often its run has failed since it last succeeded. */
    failures: `quorate-failures:${kube}`,
    /** A list: what woke the cluster since its last run began, newest last. */
    wokenBy: (key: string) => `quorate-woken:${kube}:${key}`,
    /** Exists while somebody has the turn of that name. */
    turn: (name: string) => `quorate-turn:${kube}:${name}`,
  };
}

/** A connection that comes back by itself, for ever. */
export function openRedis(
  url: string,
  options: Pick<RedisOptions, 'maxRetriesPerRequest' | 'enableOfflineQueue' | 'commandTimeout'>,
  on: { down(reason: string): void; up(): void },
): Redis {
  const redis = new Redis(url, {
    connectTimeout: 2000,
    retryStrategy: (times: number) => backoffMs(times - 1, { baseMs: 100, capMs: 2000 }),
    ...options,
  });
  redis.on('error', (error) => on.down(messageOf(error)));
  redis.on('reconnecting', () => on.down('the connection was lost'));
  redis.on('ready', () => on.up());
  return redis;
}

/** The answer of Redis, or QUEUE_UNREACHABLE. */
export async function answered<Answer>(request: Promise<Answer>): Promise<Answer> {
  try {
    return await request;
  } catch (error) {
    throw new QuorateError('QUEUE_UNREACHABLE', messageOf(error), {}, error);
  }
}
