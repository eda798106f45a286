import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files by which the runner and the hooks in its workers speak. They are read and written in place, without a
 * promise between, so that what a worker has noted is there whatever becomes of it in the next instant.
 */

/** A line of the journal: a write is about to be sent, was answered, or the process that sends it was struck. */
export type Entry =
  | { is: 'sent'; write: string; worker: string }
  | { is: 'answered'; number: number; answer: string; worker: string }
  | { is: 'struck'; number: number; worker: string };

/** What is to happen at a write of the workers, counted from 1 since the journal was begun. */
export interface Strike {
  nth: number;
  /** Only writes whose description contains this are counted. */
  of?: string | undefined;
  /** Before it is sent, or when it is answered and the worker has not seen the answer yet. */
  moment: 'before' | 'after';
  do: 'kill' | 'stop';
}

const journalPath = (folder: string) => join(folder, 'journal');
const strikePath = (folder: string) => join(folder, 'strike');

/** Begins a new journal, with a strike or none. */
export function beginJournal(folder: string, strike: Strike | undefined): void {
  rmSync(strikePath(folder), { force: true });
  writeFileSync(journalPath(folder), '');
  if (strike) writeFileSync(strikePath(folder), JSON.stringify(strike));
}

export function note(folder: string, entry: Entry): void {
  appendFileSync(journalPath(folder), `${JSON.stringify(entry)}\n`);
}

export function readJournal(folder: string): Entry[] {
  const lines = readFileSync(journalPath(folder), 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}

export function readStrike(folder: string): Strike | undefined {
  try {
    return JSON.parse(readFileSync(strikePath(folder), 'utf8')) as Strike;
  } catch {
    // There is none.
    return undefined;
  }
}

/** The number, from 1, of the last write that was sent: among all, and among those that the strike counts. */
export function countWrites(entries: readonly Entry[], of: string | undefined) {
  const sent = entries.filter((entry) => entry.is === 'sent');
  const counted = of === undefined ? sent : sent.filter(({ write }) => write.includes(of));
  return { all: sent.length, counted: counted.length };
}
