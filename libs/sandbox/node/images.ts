import { accessSync, constants, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Waiting } from './spec.ts';

/** What runs when a container names an image: programs of this machine, or a root file system built beside it. */
export interface Image {
  /** The folder that becomes the container's `/`. */
  root: string;
  /** Programs put in front of the container's PATH: name → file on this machine. */
  programs: Record<string, string>;
  /** What runs when the container names no command. */
  command?: string[];
  environment: Record<string, string>;
  /** What really runs, for `imageID` and the pod's annotation, e.g. `etcd 3.4.23`. */
  runs: string;
}

/** The images this sandbox offers besides the machine's own programs: `<name>` or `<name>:<version>` → image. */
export type ImageTable = Map<string, Image>;

/** `quay.io/coreos/etcd:v3.2.13@sha256:…` → name `etcd`, version `3.2.13` (`latest` where none is named). */
export function parseReference(reference: string): { name: string; version: string } {
  const last = reference.split('@')[0]?.split('/').at(-1) ?? '';
  const [name = '', tag = 'latest'] = last.split(':');
  return { name, version: tag.replace(/^v(?=\d)/, '') };
}

/** An image of this name exists nowhere, so that everybody can see what comes of that. */
const absentImage = 'none';

/**
 * The image for a reference: the exact version if there is one, else the machine's own of that name, else the
 * machine's programs at large, for which the container must name a command. Throws `Waiting` where nothing fits;
 * of a name of which several versions are offered, just these exist, as in a registry.
 */
export function findImage(table: ImageTable, reference: string, hasCommand: boolean): Image {
  const { name, version } = parseReference(reference);
  if (name === absentImage) throw new Waiting('ImagePullBackOff', `Back-off pulling image "${reference}"`);
  const known = table.get(`${name}:${version}`) ?? table.get(name);
  if (known) return known;
  const offered = [...table.keys()].filter((key) => key.startsWith(`${name}:`)).sort();
  if (offered.length > 0) {
    const message = `image "${reference}" is not found: the sandbox has ${offered.join(', ')}`;
    throw new Waiting('ImagePullBackOff', message);
  }
  if (hasCommand) return { root: '/', programs: {}, environment: {}, runs: 'host' };
  const why =
    name === 'etcd'
      ? 'etcd is not installed: install the Debian packages etcd-server and etcd-client, or name the program in ETCD'
      : 'the sandbox pulls no images: name a command that this machine has, or give a root file system with --image';
  throw new Waiting('ImagePullBackOff', `cannot run image "${reference}": ${why}`);
}

/**
 * Looks for the programs this sandbox knows, once, at its start. `roots` are `<name>:<version>` → folder, from
 * `--image`. `run` answers what a program of a root prints, so that the version is the program's own word.
 */
export async function imageTable(
  roots: Map<string, string>,
  environment: Record<string, string | undefined>,
  run: (image: Image, command: string[]) => Promise<string>,
): Promise<ImageTable> {
  const table: ImageTable = new Map();
  const etcd = findProgram('etcd', environment);
  if (etcd) {
    const beside = join(dirname(etcd), 'etcdctl');
    const etcdctl =
      environment['ETCDCTL'] ?? (isProgram(beside) ? beside : findProgram('etcdctl', environment));
    const programs = { etcd: realpathSync(etcd), ...(etcdctl ? { etcdctl: realpathSync(etcdctl) } : {}) };
    const image = await named('etcd', { ...plain('/'), programs }, run);
    const hasOthers = [...roots.keys()].some((reference) => parseReference(reference).name === 'etcd');
    table.set(hasOthers ? image.runs.replace(' ', ':') : 'etcd', image);
  }
  for (const [reference, root] of roots) {
    table.set(reference, await named(parseReference(reference).name, plain(root), run));
  }
  return table;
}

/** The file of a program: named in the environment by its upper-case name, else the first of PATH. */
export function findProgram(
  name: string,
  environment: Record<string, string | undefined>,
): string | undefined {
  const given = environment[name.toUpperCase()];
  if (given) return given;
  const folders = (environment['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'));
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

const plain = (root: string): Image => ({ root, programs: {}, environment: {}, runs: root });

async function named(
  name: string,
  image: Image,
  run: (image: Image, command: string[]) => Promise<string>,
): Promise<Image> {
  if (name !== 'etcd') return { ...image, command: [name], runs: `${name} of ${image.root}` };
  const version =
    /etcd Version: (\S+)/.exec(await run(image, ['etcd', '--version']))?.[1] ?? 'of unknown version';
  // Go's own resolver keeps a hosts file for 5 s; the C library's, which Debian's build can use, reads it anew.
  return { ...image, command: ['etcd'], environment: { GODEBUG: 'netdns=cgo' }, runs: `etcd ${version}` };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there or not executable: not a program we can run.
    return false;
  }
}
