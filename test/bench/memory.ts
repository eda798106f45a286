import { readFileSync } from 'node:fs';

/** Resident memory of a process, in MiB, as the kernel counts it. */
export function residentMiB(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
