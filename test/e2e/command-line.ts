import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Stage } from './stage.ts';

const main = join(import.meta.dirname, '../../services/cli/main.ts');

/**
 * Runs `quorate` in a pipe, as a person would who has KUBECONFIG and NATS_URL set, and returns what it printed; with
 * no stage, where neither is to be found. Throws an error with what it said (`stderr`) and its exit code (`code`).
 */
export async function quorate(stage: Stage | undefined, ...args: string[]): Promise<string> {
  const { KUBECONFIG, NATS_URL, ...rest } = process.env;
  const places = stage && { KUBECONFIG: stage.kubeconfigPath, NATS_URL: stage.operator.natsUrl };
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], {
    env: { ...rest, ...places },
    maxBuffer: 64 << 20,
    timeout: 150_000,
  });
  return stdout;
}
