import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from './images.ts';

export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

/** Everything bubblewrap needs to know of one container besides its environment. */
export interface Box {
  image: Image;
  hostname: string;
  /** A folder with the pod's `hosts`; a folder, so that the file can be replaced atomically. */
  namesFolder?: string;
  mounts: Mount[];
  workingDirectory: string;
  command: string[];
}

/** The folders of a root that programs need; all else of it stays out of the container's sight. */
const systemFolders = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'opt'];

/** What programs need of `/etc`: accounts, name services, libraries, certificates; nothing private. */
const systemFiles = [
  ...['passwd', 'group', 'nsswitch.conf', 'host.conf', 'gai.conf', 'protocols', 'services', 'localtime'],
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'ssl', 'ca-certificates', 'mysql'],
];

const searchPath = '/sandbox/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The arguments that run one container: its own mounts, processes, IPC and host name, on the machine's network. The
 * command is process 1, as in any container, so a signal that it does not handle is ignored until SIGKILL. Without
 * root it gets a user namespace in which it is root. Status lines come on file descriptor 3.
 */
export function bubblewrapArguments(box: Box, rootless: boolean): string[] {
  return [
    ...(rootless ? ['--unshare-user', '--uid', '0', '--gid', '0'] : []),
    ...['--unshare-pid', '--as-pid-1', '--unshare-ipc', '--unshare-uts', '--hostname', box.hostname],
    ...['--die-with-parent', '--new-session', '--json-status-fd', '3'],
    ...['/etc', '/var', '/sandbox', '/sandbox/bin'].flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...systemMounts(box.image.root),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/dev/shm', '--perms', '1777', '--tmpfs', '/tmp'],
    ...['--dir', '/run', '--dir', '/var/tmp', '--dir', '/root'],
    ...(box.namesFolder ? ['--ro-bind', box.namesFolder, '/sandbox/names'] : []),
    ...['--symlink', '/sandbox/names/hosts', '/etc/hosts'],
    ...['--symlink', '/sandbox/names/resolv.conf', '/etc/resolv.conf'],
    ...Object.entries(box.image.programs).flatMap(([name, file]) => [
      '--ro-bind',
      file,
      `/sandbox/bin/${name}`,
    ]),
    ...box.mounts.flatMap(({ source, target, readOnly }) => [
      readOnly ? '--ro-bind' : '--bind',
      source,
      target,
    ]),
    ...['--chdir', box.workingDirectory, '--', ...box.command],
  ];
}

/** The environment every container starts from. */
export function baseEnvironment(hostname: string): Record<string, string> {
  return { PATH: searchPath, HOSTNAME: hostname, HOME: '/root' };
}

function systemMounts(root: string): string[] {
  const present = new Set(readdirSync(root));
  const folders = systemFolders
    .filter((name) => present.has(name))
    .flatMap((name) => {
      const path = join(root, name);
      if (lstatSync(path).isSymbolicLink()) return ['--symlink', readlinkSync(path), `/${name}`];
      return ['--ro-bind', path, `/${name}`];
    });
  const files = systemFiles
    .map((name) => [join(root, 'etc', name), `/etc/${name}`] as const)
    .filter(([source]) => existsSync(source))
    .flatMap(([source, target]) => ['--ro-bind', source, target]);
  return [...folders, ...files];
}
