import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../../../libs/errors/catalogue.ts';

/** The parts of a run's folder. Only these are ever removed: the folder may be the user's own. */
export interface RunFolder {
  dir: string;
  logs: string;
  nats: string;
  redis: string;
  sandbox: string;
  kubectlCache: string;
}

export function runFolder(dir: string): RunFolder {
  return {
    dir,
    logs: join(dir, 'logs'),
    nats: join(dir, 'nats'),
    redis: join(dir, 'redis'),
    sandbox: join(dir, 'sandbox'),
    kubectlCache: join(dir, 'kubectl-cache'),
  };
}

/** The file that says how to reach what runs in a folder, and which process holds it. */
export interface RunRecord {
  pid: number;
  /** The kernel's start time of that process, so that a later one of the same number is not taken for it. */
  startTime: string;
  kubeconfigPath?: string;
  natsUrl?: string;
}

const recordPath = (dir: string) => join(dir, 'up.json');

/**
 * Takes the folder for this process and clears it of the last run. Throws ALREADY_RUNNING while another process that
 * lives has it. Returns the release.
 */
export async function takeFolder(folder: RunFolder): Promise<() => Promise<void>> {
  await mkdir(folder.dir, { recursive: true });
  const path = recordPath(folder.dir);
  const holder = await readRun(folder.dir);
  if (holder !== undefined) {
    throw new QuorateError('ALREADY_RUNNING', `process ${holder.pid} holds ${folder.dir}`, {
      pid: holder.pid,
    });
  }
  // Nobody lives who wrote it. Where two processes come this far at once, `wx` lets one through.
  await rm(path, { force: true });
  try {
    await writeFile(path, record({ pid: process.pid, startTime: startTimeOf(process.pid) ?? '' }), {
      flag: 'wx',
    });
  } catch (error) {
    throw new QuorateError('ALREADY_RUNNING', `another process just took ${folder.dir}`, {}, error);
  }
  for (const part of [folder.logs, folder.nats, folder.redis, folder.sandbox, folder.kubectlCache]) {
    await rm(part, { recursive: true, force: true });
  }
  await mkdir(folder.logs, { recursive: true });
  await mkdir(folder.redis, { recursive: true });
  return () => rm(path, { force: true });
}

/** Notes in a folder that is taken how to reach what runs there. */
export async function describeRun(
  dir: string,
  reach: Pick<RunRecord, 'kubeconfigPath' | 'natsUrl'>,
): Promise<void> {
  const whole = `${recordPath(dir)}.${process.pid}`;
  await writeFile(whole, record({ pid: process.pid, startTime: startTimeOf(process.pid) ?? '', ...reach }));
  await rename(whole, recordPath(dir));
}

/** What runs in the folder, or `undefined` where nothing does. */
export async function readRun(dir: string): Promise<RunRecord | undefined> {
  let run: RunRecord;
  try {
    run = JSON.parse(await readFile(recordPath(dir), 'utf8')) as RunRecord;
  } catch {
    // No record, or one that was cut short when its writer was killed: nobody can be using it.
    return undefined;
  }
  return startTimeOf(run.pid) === run.startTime ? run : undefined;
}

const record = (run: RunRecord) => `${JSON.stringify(run)}\n`;

/** Field 22 of proc_pid_stat(5), counted behind the command's name, which may contain anything. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    // No such process.
    return undefined;
  }
}
