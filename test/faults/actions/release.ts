import { z } from 'zod';
import { until } from '../../wait.ts';
import { type Entry, readJournal, readStrike } from '../hook/journal.ts';
import { action } from '../vocabulary.ts';

/**
 * The worker that was struck comes back: one that was killed starts again, one that was stopped wakes up and sends its
 * write late; what that is answered is noted. Fails where no worker was struck, unless that `mayBeNone`.
 */
export const release = action(
  z.strictObject({
    /** How the report calls what was done meanwhile. */
    scenario: z.string().default('the plan'),
    mayBeNone: z.boolean().default(false),
  }),
  async ({ lane, struck, isUndisturbed, writes }, { scenario, mayBeNone }) => {
    const entries = readJournal(lane.hookFolder);
    if (isUndisturbed) writes.set(scenario, writesOf(entries));
    const strike = entries.find((entry) => entry.is === 'struck');
    if (strike === undefined) {
      if (mayBeNone) return;
      throw new Error(`no worker came to that write; there were ${writesOf(entries).join(', ') || 'none'}`);
    }
    const { number, worker: name } = strike;
    const write = writesOf(entries)[number - 1] ?? '';
    const worker = lane.workers.find((each) => each.name === name);
    if (worker === undefined) throw new Error(`there is no worker ${name}`);
    if (readStrike(lane.hookFolder)?.do === 'kill') {
      // It may be so shortly ago that we have not heard of it.
      await worker.stop('SIGKILL');
      worker.start();
      struck.push({ scenario, number, write, how: 'killed' });
      return;
    }
    worker.signal('SIGCONT');
    const answer = await until('the late write is answered', () =>
      readJournal(lane.hookFolder).find(
        (entry) => entry.is === 'answered' && entry.number === number && entry.worker === name,
      ),
    );
    struck.push({
      ...{ scenario, number, write, how: 'stopped' },
      answer: answer.is === 'answered' ? answer.answer : '',
    });
  },
);

const writesOf = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) => (entry.is === 'sent' ? [entry.write] : []));
