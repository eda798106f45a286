import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { messageOf } from '../errors/catalogue.ts';
import { answered, keysOf } from './redis.ts';

/**
 * `first`: as far as this Redis knows, nobody has had this turn before. It is new, it has lost its data, or it was started
 * again, and may have forgotten the last of what it was told.
 */
export type Turn = 'first' | 'next';

/** For how long nobody else begins after somebody did. */
const claimMs = 30_000;

/** Stores that the turn was had only for who still has the claim: after a loss of data it would hide that. */
const finish = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2])
return 1`;

/**
 * Runs the work if the turn of that name is due: at first, and when the period is over, by the clocks of whoever asks. Over
 * all processes one has it. A turn that failed, or whose process died, is due again.
 */
export async function takeTurn(
  redis: Redis,
  kube: string,
  { name, periodMs }: { name: string; periodMs: number },
  work: (turn: Turn) => Promise<void>,
): Promise<void> {
  const keys = keysOf(kube);
  const server = await answered(runOf(redis));
  const text = (await answered(redis.get(keys.turn(name)))) ?? '{}';
  const stored = JSON.parse(text) as { server?: string; nextMs?: number };
  const turn = stored.server === server ? 'next' : 'first';
  if (turn === 'next' && Date.now() < (stored.nextMs ?? 0)) return;
  const claim = randomUUID();
  const claimed = await answered(redis.set(keys.claim(name), claim, 'PX', claimMs, 'NX'));
  if (claimed !== 'OK') return;
  try {
    await work(turn);
    const had = JSON.stringify({ server, nextMs: Date.now() + periodMs });
    await answered(redis.eval(finish, 2, keys.claim(name), keys.turn(name), claim, had));
  } catch (error) {
    await redis.del(keys.claim(name)).catch(() => {}); // It runs out by itself.
    throw error;
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
