import { type ChildProcess, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** How a container's process ended. `started: false` means that its command could not be run at all. */
export interface Exit {
  code: number;
  started: boolean;
}

/** One run of a container. */
export interface ContainerProcess {
  /** The main process as the machine sees it; `undefined` where bubblewrap failed before there was one. */
  readonly pid: Promise<number | undefined>;
  /** Settles when every process of the container is gone and all its output has been handed on. */
  readonly exited: Promise<Exit>;
  /** Asks the main process to end (SIGTERM). */
  terminate(): Promise<void>;
  /** Ends the main process, and with it its whole PID namespace (SIGKILL). */
  kill(): Promise<void>;
}

/** Runs bubblewrap; `onOutput` gets what the container prints on both its streams. */
export function startProcess(
  bubblewrap: string,
  args: string[],
  environment: Record<string, string>,
  onOutput: (chunk: Buffer) => void,
): ContainerProcess {
  const child: ChildProcess = spawn(bubblewrap, args, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const pid = Promise.withResolvers<number | undefined>();
  let exitCode: number | undefined;
  let ended = false;
  const statusLines = createInterface({ input: child.stdio[3] as Readable });
  statusLines.on('line', (line) => {
    const status = JSON.parse(line) as { 'child-pid'?: number; 'exit-code'?: number };
    if (status['child-pid'] !== undefined) pid.resolve(status['child-pid']);
    if (status['exit-code'] !== undefined) exitCode = status['exit-code'];
  });
  child.stdout?.on('data', onOutput);
  child.stderr?.on('data', onOutput);

  const exited = new Promise<Exit>((resolve) => {
    child.on('error', (error) => onOutput(Buffer.from(`${error.message}\n`)));
    child.on('close', (code, signal) => {
      ended = true;
      pid.resolve(undefined);
      // Bubblewrap reports an exit code only of a command that it could run. Killed itself, it takes the container along.
      if (exitCode !== undefined) resolve({ code: exitCode, started: true });
      else if (signal !== null) resolve({ code: 137, started: true });
      else resolve({ code: code ?? 128, started: false });
    });
  });

  const send = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const main = await pid.promise;
    if (main === undefined || ended) return;
    try {
      // Until bubblewrap has become the command, nothing of it runs yet and SIGTERM would be lost.
      const running = readlinkSync(`/proc/${main}/exe`) !== bubblewrap;
      process.kill(main, running ? signal : 'SIGKILL');
    } catch {
      // The process has ended by itself meanwhile, which is what was wanted.
    }
  };
  return { pid: pid.promise, exited, terminate: () => send('SIGTERM'), kill: () => send('SIGKILL') };
}
