import { messageOf, QuorateError } from '../errors/catalogue.ts';
import { createLog, type Log } from './log.ts';

export interface ProcessContext {
  log: Log;
  /** Aborted when the process is asked to stop: SIGINT, SIGTERM, or the end of the parent that forked it. */
  signal: AbortSignal;
}

/**
 * Runs this process: `main` works until its signal is aborted, then cleans up and returns.
 * A second signal ends the process at once. Exit code 0 after a clean stop, 1 after an error, which is logged
 * in one line.
 */
export async function runProcess(
  name: string,
  main: (context: ProcessContext) => Promise<void>,
): Promise<void> {
  const log = createLog(name);
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('disconnect', onSignal);
  try {
    await main({ log, signal: stop.signal });
    process.exit(0);
  } catch (error) {
    // Asked to stop while it still waited for a server: there is nothing to report.
    if (stop.signal.aborted) process.exit(0);
    const named =
      error instanceof QuorateError ? { code: error.code, help: error.help, ...error.fields } : { error };
    log.error({ ...named, reason: messageOf(error) }, 'service stopped');
    process.exit(1);
  }
}
