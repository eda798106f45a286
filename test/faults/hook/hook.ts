import { shiftClock } from './clock.ts';
import { connectThroughTunnel } from './tunnel.ts';
import { followWrites } from './writes.ts';

/**
 * Loaded into a worker before its own code (`node --import`), so that the worker itself knows nothing of faults: notes
 * each of its writes and strikes it at one, sends its connections to members through a tunnel, and shifts its clock.
 */
export interface HookOptions {
  /** Where the journal is. */
  folder: string;
  worker: string;
  /** The port of the tunnel to the members. */
  tunnelPort: number;
  clockSkewMs: number;
}

/** The variable that brings them. */
export const hookVariable = 'QUORATE_TEST_HOOK';

const given = process.env[hookVariable];
if (given !== undefined) {
  const options = JSON.parse(given) as HookOptions;
  followWrites(options);
  connectThroughTunnel(options.tunnelPort);
  if (options.clockSkewMs !== 0) shiftClock(options.clockSkewMs);
}
