import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { endChild, hasEnded } from '../../child.ts';
import { type HookOptions, hookVariable } from '../hook/hook.ts';

/** A worker of a stage, which stays down once it is killed until it is started again. */
export interface WorkerProcess {
  readonly name: string;
  readonly isRunning: boolean;
  /** Whether it ended otherwise than by a signal, which no worker ever should. */
  readonly hasFailed: boolean;
  start(clockSkewMs?: number): void;
  signal(signal: NodeJS.Signals): void;
  /** Ends it, in order unless told otherwise, and waits until it has. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Defines a worker that runs with a hook (see `../hook/hook.ts`). It does not run yet. */
export function defineWorker(options: {
  name: string;
  environment: Record<string, string | undefined>;
  logPath: string;
  hook: Pick<HookOptions, 'folder' | 'tunnelPort'>;
}): WorkerProcess {
  const { name, environment, logPath, hook } = options;
  let child: ChildProcess | undefined;
  let failed = false;
  return {
    name,
    get isRunning() {
      return child !== undefined && !hasEnded(child);
    },
    get hasFailed() {
      return failed;
    },
    start(clockSkewMs = 0) {
      const given: HookOptions = { ...hook, worker: name, clockSkewMs };
      const started = spawnWorker({ ...environment, [hookVariable]: JSON.stringify(given) }, logPath);
      started.once('exit', (code) => {
        failed ||= code !== null && code !== 0;
      });
      child = started;
    },
    signal(signal) {
      child?.kill(signal);
    },
    stop: (signal = 'SIGTERM') => endChild(child, signal),
  };
}

const hookPath = join(import.meta.dirname, '../hook/hook.ts');
const setpriv = '/usr/bin/setpriv';
/** So that no worker outlives us, not even one that is stopped. */
const bound = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];

function spawnWorker(environment: Record<string, string | undefined>, logPath: string): ChildProcess {
  const [program = '', ...parameters] = [
    ...[...bound, process.execPath],
    ...['--import', hookPath, 'services/worker/main.ts'],
  ];
  const log = openSync(logPath, 'a');
  try {
    // In a group of its own, so that Ctrl-C reaches us alone.
    return spawn(program, parameters, { env: environment, stdio: ['ignore', log, log], detached: true });
  } finally {
    // The child has its own copy.
    closeSync(log);
  }
}
