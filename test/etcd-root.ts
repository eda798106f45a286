import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../services/cli/toolchain/cache.ts';

const run = promisify(execFile);

/** The release of Debian that has another etcd than the one that tests begin with, and which that is. */
const suite = 'trixie';
export const newerVersion = '3.5.16';

/**
 * A root file system with etcd 3.5.16 for the sandbox: Debian's packages of it, unpacked with the C library that they
 * are for. It needs no root and nothing installed but apt and dpkg, takes some seconds, and is kept for the next run.
 */
export async function newerEtcdRoot(): Promise<string> {
  const root = cacheFolder(`etcd-${newerVersion}-${process.arch}`);
  if (existsSync(join(root, 'usr/bin/etcd'))) return root;
  await mkdir(dirname(root), { recursive: true });
  // Beside its place until it is whole, since several processes may do this at once.
  const work = await mkdtemp(`${root}.`);
  try {
    const fresh = join(work, 'root');
    for (const file of await download(work, ['etcd-server', 'etcd-client', 'libc6'])) {
      await run('dpkg-deb', ['--extract', file, fresh]);
    }
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
      if (!existsSync(join(fresh, name))) await symlink(`usr/${name}`, join(fresh, name));
    }
    await writeFile(join(fresh, 'etc/nsswitch.conf'), 'hosts: files dns\n');
    // cacheFolder has made an empty folder there, which this replaces.
    await rename(fresh, root).catch((error) => {
      if (!existsSync(join(root, 'usr/bin/etcd'))) throw error;
    });
    return root;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Downloads packages of the suite with an apt of its own: the machine's lists and packages stay as they are. */
async function download(work: string, packages: string[]): Promise<string[]> {
  const [lists, archives, sources] = ['lists', 'archives', 'sources.list'].map((name) => join(work, name));
  for (const folder of [lists, archives]) await mkdir(join(folder ?? '', 'partial'), { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(sources ?? '', `deb [signed-by=${keyring}] ${await mirror()} ${suite} main\n`);
  const options = [
    ...[`Dir::State::Lists=${lists}`, 'Dir::State::Status=/dev/null', `Dir::Cache=${work}`],
    ...[`Dir::Etc::SourceList=${sources}`, 'Dir::Etc::SourceParts=-', 'Acquire::Languages=none'],
    // As root, apt would download as a user who may not write here.
    ...['APT::Sandbox::User=root', 'Debug::NoLocking=true'],
  ].flatMap((option) => ['-o', option]);
  await run('apt-get', [...options, '--quiet=2', 'update'], { timeout: 120_000 });
  const { stdout } = await run('apt-cache', [...options, 'show', '--no-all-versions', 'etcd-server']);
  const version = /^Version: (.*)$/m.exec(stdout)?.[1] ?? 'none';
  if (!version.startsWith(newerVersion))
    throw new Error(`Debian ${suite} has etcd ${version}, not ${newerVersion}`);
  await run('apt-get', [...options, '--quiet=2', 'download', ...packages], { cwd: work, timeout: 120_000 });
  return (await readdir(work)).filter((name) => name.endsWith('.deb')).map((name) => join(work, name));
}

/** Where this machine gets Debian's packages from. */
async function mirror(): Promise<string> {
  const { stdout } = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)']);
  return stdout.split('\n').find((uri) => /\/debian\/?$/.test(uri)) ?? 'http://deb.debian.org/debian';
}
