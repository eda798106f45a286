import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The user that the image is made for; the name and number are those of the "distroless" images. */
export const user = { name: 'nonroot', id: 65_532 };

const accounts = {
  'etc/passwd': `root:x:0:0:root:/:/sbin/nologin\n${user.name}:x:${user.id}:${user.id}:${user.name}:/tmp:/sbin/nologin\n`,
  'etc/group': `root:x:0:\n${user.name}:x:${user.id}:\n`,
  'etc/nsswitch.conf': 'hosts: files dns\n',
};

/**
 * What a process of ours needs of an operating system: Node, the shared libraries that it was linked with, and
 * the files by which users and hosts are found. No shell and no package manager; authorities for TLS are part
 * of Node. What came from Debian packages is listed as such, so that scanners know their versions.
 */
export function installSystem(root: string): void {
  for (const folder of ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'var/lib/dpkg/status.d']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  chmodSync(join(root, 'tmp'), 0o1777);
  for (const [path, text] of Object.entries(accounts)) writeFileSync(join(root, path), text);
  copy(process.execPath, join(root, 'usr/local/bin/node'));
  copy('/etc/os-release', join(root, 'etc/os-release'));
  const libraries = librariesOf(process.execPath);
  for (const library of libraries) copy(library, join(root, library));
  for (const name of new Set(libraries.map(packageOf))) describePackage(root, name);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(realpathSync(from), to);
}

/** The shared libraries of a program, where the loader finds them, and the loader itself. */
function librariesOf(program: string): string[] {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => /(?:^|\s)(\/\S+) \(0x/.exec(line)?.[1] ?? []).sort();
}

/** The Debian package that a file belongs to. */
function packageOf(path: string): string {
  // Since Debian 13, packages name the file under /usr, where /lib is a link to.
  const names = [path, join('/usr', path), realpathSync(path)];
  for (const name of names) {
    try {
      const found = execFileSync('dpkg-query', ['--search', name], { encoding: 'utf8', stdio: 'pipe' });
      return found.split(':')[0] ?? '';
    } catch {
      // Known under another of the names.
    }
  }
  throw new Error(`${path} belongs to no Debian package`);
}

function describePackage(root: string, name: string): void {
  const status = execFileSync('dpkg-query', ['--status', name], { encoding: 'utf8' });
  writeFileSync(join(root, 'var/lib/dpkg/status.d', name), status);
  const copyright = `/usr/share/doc/${name}/copyright`;
  if (existsSync(copyright)) copy(copyright, join(root, copyright));
}
