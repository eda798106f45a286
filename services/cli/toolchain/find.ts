import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, join, resolve } from 'node:path';
import { QuorateError } from '../../../libs/errors/catalogue.ts';
import { type CarriedProgram, unpackProgram } from './carried.ts';
import { type KubectlVersion, kubectlVersion } from './kubectl.ts';
import { type ProgramName, type ProgramPaths, programs } from './programs.ts';

/** What finding programs asks of the machine. */
export interface Lookup {
  isProgram(path: string): boolean;
  /** `undefined` where it does not run or does not say. */
  kubectlVersion(path: string): Promise<KubectlVersion | undefined>;
  /** The program that an npm package brings, or `undefined` where it has none for this machine. */
  fromNpm(name: CarriedProgram): Promise<string | undefined>;
}

export interface Found {
  paths: ProgramPaths;
  missing: ProgramName[];
}

/** exec over WebSocket came with 1.29, the only form of it that every API server of today speaks. */
const oldestKubectl: KubectlVersion = { major: 1, minor: 29 };

/**
 * Finds each program: its environment variable, then PATH and the folders for servers, which a user's PATH often
 * lacks, then (kubectl and helm only) what npm brings. A variable is taken at its word; it throws CONFIG_INVALID where it
 * names no program.
 */
export async function findPrograms(
  names: readonly ProgramName[],
  environment: Record<string, string | undefined> = process.env,
  lookup: Lookup = machine,
): Promise<Found> {
  const found = await Promise.all(
    names.map(async (name) => {
      const onPath = findNamed(name, environment, lookup);
      if (name === 'kubectl') return findKubectl(onPath, environment, lookup);
      return name === 'helm' ? (onPath ?? lookup.fromNpm('helm')) : onPath;
    }),
  );
  const paths: ProgramPaths = {};
  const missing: ProgramName[] = [];
  names.forEach((name, index) => {
    const path = found[index];
    if (path === undefined) missing.push(name);
    else paths[name] = path;
  });
  return { paths, missing };
}

async function findKubectl(
  onPath: string | undefined,
  environment: Record<string, string | undefined>,
  lookup: Lookup,
): Promise<string | undefined> {
  if (onPath !== undefined) {
    if (environment[programs.kubectl.variable]) return onPath;
    const version = await lookup.kubectlVersion(onPath);
    if (version !== undefined && isRecent(version)) return onPath;
  }
  return lookup.fromNpm('kubectl');
}

function isRecent(version: KubectlVersion): boolean {
  if (version.major !== oldestKubectl.major) return version.major > oldestKubectl.major;
  return version.minor >= oldestKubectl.minor;
}

function findNamed(
  name: ProgramName,
  environment: Record<string, string | undefined>,
  lookup: Lookup,
): string | undefined {
  const { command, variable } = programs[name];
  const named = environment[variable];
  if (named) {
    const path = named.includes('/') ? resolve(named) : search(named, environment, lookup);
    if (path !== undefined && lookup.isProgram(path)) return path;
    throw new QuorateError('CONFIG_INVALID', `${variable}=${named} names no program`);
  }
  return search(command, environment, lookup);
}

function search(
  command: string,
  environment: Record<string, string | undefined>,
  lookup: Lookup,
): string | undefined {
  const path = environment['PATH'] ?? '';
  const folders = [...path.split(delimiter).filter(Boolean), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => resolve(join(folder, command))).find((file) => lookup.isProgram(file));
}

/** Whether a shell finds this very program by its name alone. */
export function isOnPath(path: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => resolve(folder, basename(path))).find(machine.isProgram) === path;
}

/** This machine, as it is. */
export const machine: Lookup = {
  isProgram(path) {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      // Not there, or not ours to run: both mean that it is of no use here.
      return false;
    }
  },
  kubectlVersion,
  fromNpm: unpackProgram,
};
