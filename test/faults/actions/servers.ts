import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { redisCommand } from '../../servers.ts';
import { action } from '../vocabulary.ts';

/** The servers that Quorate stands on, and what may happen to them. */
const server = z.enum(['nats', 'redis']);

/** Ends a server and keeps it down until `bringBack`: as a crash does, or as an orderly stop. */
export const takeAway = action(
  z.strictObject({ server, how: z.enum(['crash', 'stop']).default('crash') }),
  async ({ lane, afterwards }, { server: which, how }) => {
    const process = lane.stack.process(`${which}-server`);
    if (how === 'crash') process.kill('SIGKILL');
    await process.stop();
    afterwards(() => process.start());
  },
);

/** Starts it again with what it had stored, or with nothing; it answers then. Redis stores nothing in any case. */
export const bringBack = action(
  z.strictObject({ server, store: z.enum(['kept', 'lost']).default('kept') }),
  async ({ lane }, { server: which, store }) => {
    if (which === 'nats' && store === 'lost') await rm(join(lane.stack.dir, 'nats'), { recursive: true });
    await lane.stack.process(`${which}-server`).start();
  },
);

/** Redis forgets everything, and goes on. */
export const emptyRedis = action(z.strictObject({}), async ({ lane }) => {
  await redisCommand({ url: lane.stack.redisUrl }, 'FLUSHALL');
});

/** Redis refuses every write that would need memory, as one that is full and may throw nothing away; until `freeRedis`. */
export const fillRedis = action(z.strictObject({}), async ({ lane, afterwards }) => {
  const url = { url: lane.stack.redisUrl };
  await redisCommand(url, 'CONFIG SET maxmemory-policy noeviction');
  await redisCommand(url, 'CONFIG SET maxmemory 1');
  afterwards(async () => void (await redisCommand(url, 'CONFIG SET maxmemory 0')));
});

export const freeRedis = action(z.strictObject({}), async ({ lane }) => {
  await redisCommand({ url: lane.stack.redisUrl }, 'CONFIG SET maxmemory 0');
});
