import { z } from 'zod';
import { readJournal } from '../hook/journal.ts';
import type { Lane, LinkedWorker } from './lane.ts';

/** The processes of Quorate and its servers that a word means. `struck` is the worker at the write that `strike` names. */
export const processChoice = z.enum([
  'worker-1',
  'worker-2',
  'workers',
  'struck',
  'watcher',
  'observer',
  'nats-server',
  'redis-server',
  'sandbox',
]);

/** Workers alone, which have links that can be cut. */
export const workerChoice = z.enum(['worker-1', 'worker-2', 'workers', 'struck']);

/** What can be done to any of them. */
export interface AnyProcess {
  name: string;
  signal(signal: NodeJS.Signals): void;
}

export function chooseProcesses(lane: Lane, which: string): AnyProcess[] {
  const workers = chooseWorkers(lane, which);
  if (workers.length > 0) return workers;
  const { name, kill } = lane.stack.process(which);
  return [{ name, signal: kill }];
}

/** The workers that are meant; none where it means none. */
export function chooseWorkers({ workers, hookFolder }: Lane, which: string): LinkedWorker[] {
  if (which === 'workers') return [...workers];
  const struck = readJournal(hookFolder).find(({ is }) => is === 'struck')?.worker;
  if (which === 'struck' && struck === undefined) throw new Error('no worker has been struck');
  return workers.filter(({ name }) => name === (which === 'struck' ? struck : which));
}
