import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '../../services/cli/processes/stack.ts';

/** A line of a service's log. */
export interface ServiceLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** What a service of a stack logs from the time of this call on. */
export async function logFromNow(stack: Stack, service: string): Promise<() => Promise<ServiceLine[]>> {
  const path = join(stack.dir, 'logs', `${service}.log`);
  const start = (await readFile(path, 'utf8')).length;
  return async () => {
    const lines = (await readFile(path, 'utf8')).slice(start).split('\n');
    // The last one may still be written.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as ServiceLine);
  };
}
