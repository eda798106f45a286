import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/**
 * A folder for things that can be made again, such as compiled code: in node_modules, or where that is not ours to
 * write to, in the user's cache.
 */
export function cacheFolder(name: string): string {
  const inModules = join(repository, 'node_modules', '.cache', 'quorate', name);
  try {
    mkdirSync(inModules, { recursive: true });
    return inModules;
  } catch {
    // Installed by somebody else and read-only for us.
    return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'quorate', name);
  }
}

/** Where Node keeps compiled code from one start to the next, which takes a third off the start of a process. */
export const compileCache = (): string => process.env['NODE_COMPILE_CACHE'] ?? cacheFolder('compiled');
