import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Readable, Writable } from 'node:stream';
import type { ExecOptions, ExecSession } from '../runtime.ts';

/** A running container, as a command needs to know it to join it. */
export interface Joinable {
  /** The container's main process as the machine sees it. */
  pid: number;
  environment: Record<string, string>;
  workingDirectory: string;
}

/** The machine's command line that runs `command` inside a container's namespaces, with or without root. */
export function joinCommand(container: Joinable, command: string[], rootless: boolean): string[] {
  const user = rootless ? ['--user', '--preserve-credentials'] : [];
  const moved =
    container.workingDirectory === '/'
      ? command
      : ['sh', '-c', 'cd "$0" && exec "$@"', container.workingDirectory, ...command];
  const namespaces = ['--mount', '--pid', '--uts', '--ipc'];
  return ['nsenter', '--target', String(container.pid), ...user, ...namespaces, '--', ...moved];
}

/**
 * Runs `command` in the container. With a terminal, `script` (util-linux) provides one, and everything that is printed
 * comes on stdout, as a terminal has only one way out.
 */
export function startExec(
  container: Joinable,
  command: string[],
  options: ExecOptions,
  rootless: boolean,
): ExecSession {
  const joined = joinCommand(container, command, rootless);
  const [program = '', ...args] = options.tty
    ? ['script', '--quiet', '--return', '--flush', '--command', joined.map(quoted).join(' '), '/dev/null']
    : joined;
  // `script` and `nsenter` are the machine's, found on its PATH; nothing else of this process is handed on.
  const env = { ...container.environment, PATH: `${container.environment['PATH']}:${process.env['PATH']}` };
  const child = spawn(program, args, {
    env: options.tty ? { TERM: 'xterm', SHELL: '/bin/sh', ...env } : env,
    stdio: [options.stdin || options.tty ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    // In a process group of its own, so that ending it reaches the command behind `nsenter` as well.
    detached: true,
  });
  // A caller may still write when the command has ended; its exit code says all there is to say.
  child.stdin?.on('error', () => {});
  return {
    stdin: child.stdin ?? new Writable({ write: (_chunk, _encoding, done) => done() }),
    stdout: child.stdout ?? Readable.from([]),
    stderr: child.stderr ?? Readable.from([]),
    exit: exitOf(child),
    kill: () => endGroup(child),
  };
}

/** Runs `command` in the container until it ends or `timeoutMs` have passed; answers its exit code and output. */
export async function execOnce(
  container: Joinable,
  command: string[],
  timeoutMs: number,
  rootless: boolean,
): Promise<{ code: number; output: string }> {
  const session = startExec(container, command, { stdin: false, tty: false }, rootless);
  let output = '';
  const collect = (chunk: Buffer) => {
    if (output.length < 1_000) output += chunk.toString('utf8');
  };
  session.stdout.on('data', collect);
  session.stderr.on('data', collect);
  const timer = setTimeout(session.kill, timeoutMs);
  const code = await session.exit;
  clearTimeout(timer);
  return { code, output: output.trim() };
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended by itself meanwhile, which is what was wanted.
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
