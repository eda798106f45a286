/** Versions of etcd, e.g. "3.5.16". What follows the patch number names a build and is no other version. */

/** Orders versions by major, minor and patch number. */
export const compareVersions = (a: string, b: string): number =>
  compareMinors(a, b) || partsOf(a).patch - partsOf(b).patch;

/** Orders versions by major and minor number. */
export function compareMinors(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  return left.major - right.major || left.minor - right.minor;
}

export const isSameVersion = (a: string, b: string): boolean => compareVersions(a, b) === 0;

/** The lowest of these; `undefined` of none. */
export const lowestVersion = (versions: string[]): string | undefined =>
  versions.toSorted(compareVersions)[0];

export function partsOf(version: string): { major: number; minor: number; patch: number } {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/, 3).map(Number);
  return { major, minor, patch };
}

/** "3.5" */
export const minorOf = (version: string): string => `${partsOf(version).major}.${partsOf(version).minor}`;
