import { readdirSync, readFileSync } from 'node:fs';

/** A process as the kernel knows it; the start time tells it from a later one of the same number. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  startTime: string;
  command: string;
}

/** Everything that a process started and that still runs, whether in a group or a session of its own. */
export function descendantsOf(pid: number): ProcessEntry[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
  const found: ProcessEntry[] = [];
  let parents = [pid];
  while (parents.length > 0) {
    const children = all.filter((entry) => parents.includes(entry.parent));
    found.push(...children);
    parents = children.map((child) => child.pid);
  }
  return found;
}

/** Those that still run. */
export function stillRunning(entries: readonly ProcessEntry[]): ProcessEntry[] {
  return entries.filter((entry) => readProcess(entry.pid)?.startTime === entry.startTime);
}

/** `undefined` where there is none, or only what is left of one until its parent asks. */
function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc_pid_stat(5), counted behind the command's name, which may contain anything.
    const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(parent), startTime: rest[17] ?? '', command };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}
