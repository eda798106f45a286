import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What processes cost, as the kernel knows it (proc(5)). */

const ticksPerSecond = 100;

/** The processor time that a process has used so far, in seconds. */
export function cpuSeconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Counted behind the command's name, which may contain anything: utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** How many connections the processes have to a server on this machine, by the port of its URL. */
export function connectionsTo(url: string, pids: readonly (number | undefined)[]): number {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  const established = '01';
  const sockets = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => remote?.endsWith(`:${port}`) && state === established)
    .map((fields) => `socket:[${fields[9]}]`);
  const wanted = new Set(sockets);
  return pids.flatMap((pid) => openFiles(pid)).filter((file) => wanted.has(file)).length;
}

function openFiles(pid: number | undefined): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)];
    } catch {
      // It was closed while we looked.
      return [];
    }
  });
}
