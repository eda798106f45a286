import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KubectlVersion {
  major: number;
  minor: number;
}

/** The version that this kubectl says it has, or `undefined` where it does not run or says something else. */
export async function kubectlVersion(path: string): Promise<KubectlVersion | undefined> {
  try {
    const { stdout } = await run(path, ['version', '--client', '--output=json'], { timeout: 10_000 });
    const { clientVersion } = JSON.parse(stdout) as { clientVersion?: { gitVersion?: unknown } };
    return parseVersion(String(clientVersion?.gitVersion));
  } catch {
    // Not a kubectl for this machine: the caller looks for another one.
    return undefined;
  }
}

/** `v1.32.4-anything` → 1.32 */
export function parseVersion(text: string): KubectlVersion | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(text) ?? [];
  return major === undefined || minor === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor) };
}
