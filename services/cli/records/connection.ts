import { resolve } from 'node:path';
import { type Bus, connectBus } from '../../../libs/bus/bus.ts';
import { QuorateError } from '../../../libs/errors/catalogue.ts';
import { natsAccess } from '../../../libs/service/access.ts';
import { wait } from '../../../libs/service/backoff.ts';
import { natsSettings, readConfig } from '../../../libs/service/config.ts';
import { readRun } from '../processes/folder.ts';
import { logTo } from '../show/log.ts';

const connectTimeoutMs = 5_000;
const leaveTimeoutMs = 500;

/**
 * Runs `work` with the bus that NATS_URL and its companions name, or else with that of the run in this folder.
 * Throws CONFIG_INVALID without either, and BUS_UNREACHABLE where nobody answers within 5 s.
 */
export async function withBus<Result>(
  dir: string,
  signal: AbortSignal,
  work: (bus: Bus) => Promise<Result>,
): Promise<Result> {
  const given = process.env['NATS_URL'] ? natsAccess(readConfig(natsSettings)) : undefined;
  const url = (await readRun(resolve(dir)))?.natsUrl;
  const access = given ?? (url === undefined ? undefined : { url });
  if (access === undefined) {
    throw new QuorateError(
      'CONFIG_INVALID',
      `NATS_URL is not set, and no "quorate up" runs in ${resolve(dir)}`,
    );
  }
  const log = logTo((line) => console.error(line));
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]);
  const bus = await connectBus({
    ...access,
    ...{ name: 'quorate command line', streams: 'as they are', log, signal: inTime },
  });
  try {
    return await work(bus);
  } finally {
    // All is read or confirmed by now, so where NATS goes away in this moment there is nothing to wait for.
    await Promise.race([bus.close().catch(() => {}), wait(leaveTimeoutMs)]);
  }
}
