import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import type { ServerAccess } from '../service/access.ts';
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
    /** A sorted set: cluster key, by when it is due to run again. */
    due: `quorate-due:${kube}`,
    /** Which run of the server the turn of that name was last had on. */
    turn: (name: string) => `quorate-turn:${kube}:${name}`,
    /** Exists from the end of a turn until the next one is due. */
    rest: (name: string) => `quorate-rest:${kube}:${name}`,
    /** Exists while somebody has the turn of that name. */
    claim: (name: string) => `quorate-claim:${kube}:${name}`,
  };
}

/** A connection that comes back by itself, for ever. */
export function openRedis(
  access: ServerAccess,
  options: Pick<RedisOptions, 'maxRetriesPerRequest' | 'enableOfflineQueue' | 'commandTimeout'>,
  on: { down(reason: string): void; up(): void },
): Redis {
  const redis = new Redis(urlOf(access), {
    ...identity(access),
    connectTimeout: 2000,
    // A server that went without a word: a connection that owes an answer for longer than any may take is given up.
    socketTimeout: 15_000,
    retryStrategy: (times: number) => backoffMs(times - 1, { baseMs: 100, capMs: 2000 }),
    // After a failover the server at the other end may be a replica: the address leads to another one by now.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
    ...options,
  });
  redis.on('error', (error) => on.down(messageOf(error)));
  redis.on('reconnecting', () => on.down('the connection was lost'));
  redis.on('ready', () => on.up());
  return redis;
}

/** The URL, whose user and password the library would prefer to ours. */
function urlOf({ url, user, password }: ServerAccess): string {
  return user === undefined && password === undefined ? url : url.replace(/\/\/.*@/, '//');
}

/** Who we are, and the encryption that `rediss://` or a certificate asks for. */
function identity(access: ServerAccess): Pick<RedisOptions, 'username' | 'password' | 'tls'> {
  const { url, user, password, authorityPath, certificatePath, keyPath } = access;
  const files = { ca: authorityPath, cert: certificatePath, key: keyPath };
  const isEncrypted =
    url.startsWith('rediss:') || authorityPath !== undefined || certificatePath !== undefined;
  return {
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(isEncrypted && { tls: renewedFiles(files) }),
  };
}

/**
 * The content of the files, read anew each time that it is asked for, which the library does at every connection.
 * Where one cannot be read just then it is what it was before: an error would end the connection for good.
 */
function renewedFiles(paths: Record<string, string | undefined>): object {
  const content: PropertyDescriptorMap = {};
  for (const [name, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    let last = readFileSync(path);
    const get = () => {
      try {
        last = readFileSync(path);
      } catch {
        // It is being replaced, or was taken away: the server will tell whether the old one still does.
      }
      return last;
    };
    content[name] = { get, enumerable: true };
  }
  return Object.defineProperties({}, content);
}

/** The answer of Redis, or QUEUE_UNREACHABLE. */
export async function answered<Answer>(request: Promise<Answer>): Promise<Answer> {
  try {
    return await request;
  } catch (error) {
    throw new QuorateError('QUEUE_UNREACHABLE', messageOf(error), {}, error);
  }
}

/** What Redis said where it answered, and refused: its disk or memory is full, or it is a replica since a failover. */
export function refusalOf(error: unknown): string | undefined {
  return error instanceof Error && error.name === 'ReplyError' ? error.message : undefined;
}

/**
 * Lua that sets `nowMs`, the time by Redis' own clock. Those of the workers differ, and what one of them has noted by a
 * wrong one would outlive it.
 */
export const nowByRedis = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)`;
