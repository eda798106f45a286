import { spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { endChild, hasEnded } from './child.ts';
import { descendantsOf } from './processes.ts';
import { until } from './wait.ts';

/** A service as a process of its own, with its HTTP port; it ends with the test. */
export interface ServiceProcess {
  /** Status and text of the answer, or `undefined` where nobody answers. */
  get(path: string): Promise<{ status: number; text: string } | undefined>;
  /** Asks it to stop, in order; resolves to its exit code, or to the signal that ended it. */
  stop(): Promise<number | NodeJS.Signals | null>;
  /** Sends a signal to it, e.g. SIGKILL or SIGSTOP, and waits for nothing. */
  kill(signal: NodeJS.Signals): void;
  /** The lines of its log. */
  log(): { msg: string; level: string; httpPort?: number; instance?: string; [field: string]: unknown }[];
}

export function startService(
  t: TestContext,
  [program = '', ...args]: string[],
  environment: Record<string, string | undefined>,
): ServiceProcess {
  const env = { ...environment, QUORATE_HTTP_PORT: '0' };
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  t.after(() => endChild(child, 'SIGKILL'));
  const log: ServiceProcess['log'] = () => {
    const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
    const other = lines.find((line) => line !== '' && !line.startsWith('{'));
    if (other !== undefined) throw new Error(`not a line of a log: ${other}`);
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  };
  return {
    log,
    kill: (signal) => void child.kill(signal),
    async get(path) {
      const port = await until(
        'the log names the port',
        () => {
          if (hasEnded(child)) throw new Error(`the service ended: ${output}`);
          return log().find(({ httpPort }) => httpPort !== undefined)?.httpPort;
        },
        60_000,
      );
      try {
        const reply = await fetch(`http://127.0.0.1:${port}${path}`);
        return { status: reply.status, text: await reply.text() };
      } catch {
        // It has ended, or is just ending.
        return undefined;
      }
    },
    stop() {
      // What contains the service would only die of the signal.
      const contained = descendantsOf(child.pid ?? 0).at(-1);
      if (contained === undefined) child.kill('SIGTERM');
      else process.kill(contained.pid, 'SIGTERM');
      return ended;
    },
  };
}
