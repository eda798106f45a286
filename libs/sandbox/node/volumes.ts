import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { KubeObject } from '../../kube/object.ts';
import type { Mount } from './bubblewrap.ts';
import { fieldOf, type ReadEntries } from './environment.ts';
import {
  type ContainerSpec,
  type FileSource,
  type ProjectedItem,
  podSpecOf,
  type VolumeSpec,
  Waiting,
} from './spec.ts';

/** Where the folder of a pod's claim is; throws `Waiting` while the claim is not bound. */
export type ClaimFolder = (namespace: string, claim: string) => string;

/**
 * Makes the folders of a pod's volumes under `folder` and fills those that come from objects. May be called again
 * when these objects change: a file is replaced as a whole, and only when it differs. Returns volume → folder.
 */
export function prepareVolumes(
  pod: KubeObject,
  folder: string,
  claimFolder: ClaimFolder,
  read: ReadEntries,
): Map<string, string> {
  const folders = new Map<string, string>();
  for (const volume of podSpecOf(pod).volumes ?? []) {
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined) {
      folders.set(volume.name, claimFolder(pod.metadata.namespace ?? '', claim));
      continue;
    }
    const path = join(folder, volume.name);
    mkdirSync(path, { recursive: true });
    if (!volume.emptyDir) writeFiles(path, filesOf(pod, volume, read));
    folders.set(volume.name, path);
  }
  return folders;
}

/** The mounts of one container, in the order of their depth, so that a nested one lies on top. */
export function mountsOf(container: ContainerSpec, folders: Map<string, string>): Mount[] {
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, subPath, readOnly }) => {
    const folder = folders.get(name);
    if (folder === undefined) throw new Waiting('CreateContainerConfigError', `no volume is named ${name}`);
    const source = subPath ? join(folder, inside(subPath)) : folder;
    if (!existsSync(source)) mkdirSync(source, { recursive: true });
    return { source, target: mountPath, readOnly: readOnly === true };
  });
  return mounts.sort((a, b) => (a.target < b.target ? -1 : 1));
}

interface VolumeFile {
  content: Buffer;
  mode: number;
}

function filesOf(pod: KubeObject, volume: VolumeSpec, read: ReadEntries): Map<string, VolumeFile> {
  const sources = volume.projected?.sources ?? [volume];
  return new Map(sources.flatMap((source) => [...sourceFiles(pod, volume.name, source, read)]));
}

function sourceFiles(pod: KubeObject, volume: string, source: FileSource, read: ReadEntries) {
  const files = new Map<string, VolumeFile>();
  if (source.downwardAPI) {
    for (const { path, fieldRef } of source.downwardAPI.items ?? []) {
      files.set(path, { content: Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? '')), mode: 0o644 });
    }
    return files;
  }
  const from = source.configMap ?? source.secret;
  if (!from)
    throw new Waiting('ContainerCreating', `the sandbox has no volumes of the kind that ${volume} is`);
  const kind = source.configMap ? 'ConfigMap' : 'Secret';
  const name = source.configMap?.name ?? source.secret?.secretName ?? source.secret?.name ?? '';
  const entries = read(kind, name);
  if (!entries && !from.optional) {
    throw new Waiting('ContainerCreating', `volume ${volume}: ${kind.toLowerCase()} "${name}" not found`);
  }
  const items: ProjectedItem[] = from.items ?? Object.keys(entries ?? {}).map((key) => ({ key, path: key }));
  for (const item of items) {
    const content = entries?.[item.key];
    if (content) files.set(item.path, { content, mode: item.mode ?? 0o644 });
    else if (!from.optional) {
      throw new Waiting('ContainerCreating', `volume ${volume}: ${name} has no key ${item.key}`);
    }
  }
  return files;
}

function writeFiles(folder: string, files: Map<string, VolumeFile>): void {
  for (const [path, { content, mode }] of files) {
    const target = join(folder, inside(path));
    if (existsSync(target) && readFileSync(target).equals(content)) continue;
    mkdirSync(dirname(target), { recursive: true });
    const fresh = `${target}.new`;
    rmSync(fresh, { force: true });
    writeFileSync(fresh, content);
    chmodSync(fresh, mode);
    renameSync(fresh, target);
  }
}

/** `path` without any way out of the folder it is meant for. */
function inside(path: string): string {
  return normalize(`/${path}`).slice(1);
}
