import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { messageOf, QuorateError } from '../../../libs/errors/catalogue.ts';
import { lastWords } from './last-words.ts';

/** One process to start and to keep running. */
export interface ProcessDefinition {
  name: string;
  command: readonly [string, ...string[]];
  environment: Record<string, string | undefined>;
  /** Where its stderr goes, and its stdout where `ready` does not read that. */
  logPath: string;
  /** Give it an IPC channel, whose end tells a Node process that we are gone. */
  ipc?: boolean;
  /** Resolves once the process can be used; `ended` is aborted when there is no more hope. */
  ready?: (child: ChildProcess, ended: AbortSignal) => Promise<void>;
  readsStdout?: boolean;
}

/** A process that is started again, with backoff, whenever it ends without having been asked to. */
export interface ManagedProcess {
  readonly name: string;
  readonly logPath: string;
  /** `undefined` while it does not run; another one after every start. */
  readonly pid: number | undefined;
  /** Starts it and waits until it is ready; throws PROCESS_FAILED where it ends before. No-op where it runs. */
  start(): Promise<void>;
  /** SIGTERM, then SIGKILL to it and its children after `stopTimeoutMs`. It stays stopped. */
  stop(): Promise<void>;
  /** Stops it in order and starts it again. */
  restart(): Promise<void>;
  /** Sends a signal and no more: where that ends the process, it is started again like after any other end. */
  kill(signal: NodeJS.Signals): void;
}

export type ProcessReport = (line: string) => void;

const stopTimeoutMs = 8_000;
const shortestBackoffMs = 250;
const longestBackoffMs = 10_000;
/** A process that lived this long is well: its next end is a new trouble, not the last one going on. */
const wellAfterMs = 20_000;

export function manageProcess(definition: ProcessDefinition, report: ProcessReport): ManagedProcess {
  const { name, logPath } = definition;
  let child: ChildProcess | undefined;
  let wanted = false;
  let backoffMs = shortestBackoffMs;
  let nextStart: NodeJS.Timeout | undefined;

  async function launch(): Promise<void> {
    const launched = spawnDetached(definition);
    child = launched;
    const startedMs = performance.now();
    const ended = new AbortController();
    let isReady = false;
    const onEnd = (how: string, byItself: boolean) => {
      if (ended.signal.aborted) return;
      ended.abort();
      if (child === launched) child = undefined;
      if (performance.now() - startedMs > wellAfterMs) backoffMs = shortestBackoffMs;
      if (wanted && isReady) startAgain(how, byItself);
    };
    launched.once('error', (error) => onEnd(messageOf(error), false));
    launched.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`, signal === null));
    try {
      await definition.ready?.(launched, ended.signal);
      isReady = true;
    } catch (error) {
      if (!ended.signal.aborted) await end(launched);
      const reason = (await lastWords(logPath)) ?? messageOf(error);
      throw new QuorateError('PROCESS_FAILED', `${name}: ${reason}`, { log: logPath });
    }
  }

  function startAgain(how: string, byItself: boolean): void {
    const delayMs = backoffMs;
    backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
    nextStart = setTimeout(() => {
      launch().catch((error: unknown) => {
        if (wanted) startAgain(messageOf(error), false);
      });
    }, delayMs);
    void tell(how, byItself, delayMs);
  }

  async function tell(how: string, byItself: boolean, delayMs: number): Promise<void> {
    // What ends by a signal has not said why.
    const words = byItself ? await lastWords(logPath) : undefined;
    report(
      `${name} ended (${words === undefined ? how : `${how}: ${words}`}); starting it again in ${delayMs / 1000} s`,
    );
  }

  async function stop(): Promise<void> {
    wanted = false;
    clearTimeout(nextStart);
    if (child !== undefined) await end(child);
  }

  async function start(): Promise<void> {
    if (wanted) return;
    wanted = true;
    try {
      await launch();
    } catch (error) {
      wanted = false;
      throw error;
    }
  }

  return {
    name,
    logPath,
    get pid() {
      return child?.pid;
    },
    start,
    stop,
    async restart() {
      await stop();
      await start();
    },
    kill(signal) {
      child?.kill(signal);
    },
  };
}

/**
 * In a process group of its own, so that Ctrl-C in the terminal reaches us alone and the order of the end stays ours.
 * Its life is still bound to ours: by the IPC channel, or by the parent-death signal that its command sets.
 */
function spawnDetached(definition: ProcessDefinition): ChildProcess {
  const [program, ...parameters] = definition.command;
  const log = openSync(definition.logPath, 'a');
  try {
    return spawn(program, parameters, {
      detached: true,
      env: definition.environment,
      stdio: [
        'ignore',
        definition.readsStdout ? 'pipe' : log,
        log,
        ...(definition.ipc ? ['ipc' as const] : []),
      ],
    });
  } finally {
    // The child has its own copy.
    closeSync(log);
  }
}

/** Ends the process in order, or by force with all of its group when it takes too long. */
async function end(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  // A frozen process would hear nothing.
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const force = setTimeout(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The group has ended in this moment.
    }
  }, stopTimeoutMs);
  await exited;
  clearTimeout(force);
}
