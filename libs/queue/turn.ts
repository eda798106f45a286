import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { messageOf } from '../errors/catalogue.ts';
import type { Log } from '../service/log.ts';
import { answered, keysOf } from './redis.ts';

/**
 * `first`: as far as this Redis knows, nobody has had this turn before. It is new, it has lost its data, or it was started
 * again, and may have forgotten the last of what it was told.
 */
export type Turn = 'first' | 'next';

/** Takes the claim if the turn is due and nobody has it, and says which turn it is. */
const begin = `
local turn = redis.call('GET', KEYS[2]) == ARGV[2] and 'next' or 'first'
if turn == 'next' and redis.call('EXISTS', KEYS[3]) == 1 then return nil end
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3], 'NX') and turn`;

/** Whoever still has the claim keeps it for that much longer. */
const keep = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Stores that the turn was had only for who still has the claim: after a loss of data it would hide that. */
const finish = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], '', 'PX', ARGV[3])
return 1`;

export interface TurnOptions {
  name: string;
  /** How long nobody has the next turn after one was had, in milliseconds. */
  periodMs: number;
  log: Log;
  /** For how long nobody else begins after whoever has the turn was last heard of, in milliseconds. */
  claimMs?: number;
}

/**
 * Runs the work if the turn of that name is due: at first, and when the period is over, by the clock of Redis. Over all
 * processes one has it, for as long as it takes. A turn that failed, or whose process died, is due again. Throws
 * QUEUE_UNREACHABLE, and what the work throws.
 */
export async function takeTurn(
  redis: Redis,
  kube: string,
  { name, periodMs, log, claimMs = 30_000 }: TurnOptions,
  work: (turn: Turn) => Promise<void>,
): Promise<void> {
  const { claim: claimOf, turn: turnOf, rest: restOf } = keysOf(kube);
  const keys = [claimOf(name), turnOf(name), restOf(name)] as const;
  const server = await answered(runOf(redis));
  const claim = randomUUID();
  const turn = await answered(redis.eval(begin, 3, ...keys, claim, server, claimMs));
  if (turn !== 'first' && turn !== 'next') return;
  // Where that fails, the claim runs out by itself, and the end tells whether it was still there.
  const keepFor = (durationMs: number) => redis.eval(keep, 1, keys[0], claim, durationMs).catch(() => {});
  const keeping = setInterval(() => void keepFor(claimMs), claimMs / 3);
  try {
    await work(turn);
    const isHad = await answered(redis.eval(finish, 3, ...keys, claim, server, periodMs));
    if (isHad !== 1)
      log.warn({ turn: name }, 'a turn was had, but its claim was lost meanwhile; it is due again');
  } catch (error) {
    await keepFor(0);
    throw error;
  } finally {
    clearInterval(keeping);
  }
}

/** Names this run of the server: another one begins with every start. Empty where we may not ask. */
async function runOf(redis: Redis): Promise<string> {
  try {
    return /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1] ?? '';
  } catch (error) {
    if (messageOf(error).startsWith('NOPERM')) return '';
    throw error;
  }
}
