import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEtcd, type EtcdKeyValue } from '../libs/engines/etcd/client/client.ts';
import { messageOf } from '../libs/errors/catalogue.ts';
import type { Log } from '../libs/service/log.ts';

/** A client that writes to an etcd cluster all the time and remembers what was acknowledged. */
export interface Writer {
  /** How many writes have been acknowledged so far. */
  acknowledged(): number;
  /** The longest time without an acknowledged write, the present one included; in milliseconds. */
  longestPauseMs(): number;
  /** Ends the writing; waits for the write in flight. */
  stop(): Promise<void>;
  /**
   * Reads every write acknowledged before this call, linearizably, from the first of `endpoints` that answers
   * within 20 s; throws an assertion that lists the lost and the wrong ones, and those that are back.
   */
  verify(endpoints: string[]): Promise<void>;
}

const writeTimeoutMs = 1000;
const afterFailureMs = 25;

/** Of so many writes, one is deleted again as soon as it is acknowledged. */
const deletedEvery = 4;

/**
 * Writes `<prefix><number>`, one after another, each key once, and deletes some of them again. A write or a deletion
 * that failed is unknown: it may have been stored, so nothing is asserted about its key, which is not used again.
 * After every failure it asks for the endpoints (`host:port`) anew and moves to the next. It rests for
 * `betweenWritesMs` after each write: a few hundred a second show every gap and leave the processors to what is tested.
 */
export function startWriter(options: {
  endpoints: () => string[];
  prefix: string;
  betweenWritesMs?: number;
  log?: Log;
}): Writer {
  const { endpoints, prefix, betweenWritesMs = 3, log } = options;
  const acknowledged: string[] = [];
  const deleted: string[] = [];
  let writes = 0;
  let lastAcknowledgedMs = performance.now();
  let longestPauseMs = 0;
  let attempts = 0;
  let failures = 0;
  let stopped = false;

  const notePause = () => {
    if (!stopped && writes > 0)
      longestPauseMs = Math.max(longestPauseMs, performance.now() - lastAcknowledgedMs);
  };
  /** Writes through one member until that fails or the writer is stopped. */
  const writeThrough = async (endpoint: string) => {
    const client = connectEtcd(endpoint, { timeoutMs: writeTimeoutMs });
    try {
      while (!stopped) {
        const key = `${prefix}${String(attempts++).padStart(8, '0')}`;
        await client.put(key, valueFor(key));
        notePause();
        writes++;
        lastAcknowledgedMs = performance.now();
        if (attempts % deletedEvery !== 0) acknowledged.push(key);
        else {
          await client.delete(key);
          deleted.push(key);
        }
        if (failures > 0) log?.info({ endpoint, failures, key }, 'writes are acknowledged again');
        failures = 0;
        await sleep(betweenWritesMs);
      }
    } finally {
      client.close();
    }
  };
  const write = async () => {
    for (let turn = 0; !stopped; turn++) {
      const present = endpoints();
      const endpoint = present[turn % present.length];
      try {
        if (endpoint === undefined) throw new Error('there is no endpoint to write to');
        await writeThrough(endpoint);
      } catch (error) {
        if (failures++ === 0) log?.info({ endpoint, reason: messageOf(error) }, 'a write failed');
        await sleep(afterFailureMs);
      }
    }
  };
  const running = write();

  return {
    acknowledged: () => writes,
    longestPauseMs() {
      notePause();
      return longestPauseMs;
    },
    async stop() {
      notePause();
      stopped = true;
      await running;
    },
    async verify(from) {
      const expected = [...acknowledged];
      const unexpected = [...deleted];
      const stored = new Map((await readAll(from, prefix)).map(({ key, value }) => [key, value]));
      const lost = expected.filter((key) => !stored.has(key));
      const wrong = expected.filter((key) => stored.has(key) && stored.get(key) !== valueFor(key));
      const back = unexpected.filter((key) => stored.has(key));
      if (lost.length + wrong.length + back.length === 0) return;
      const counts = `${lost.length} are lost, ${wrong.length} wrong, ${back.length} back that were deleted`;
      assert.fail(
        `of ${expected.length} acknowledged writes ${counts}: ${[...lost, ...wrong, ...back].join(' ')}`,
      );
    },
  };
}

function valueFor(key: string): string {
  return `value of ${key}`;
}

async function readAll(endpoints: string[], prefix: string): Promise<EtcdKeyValue[]> {
  let failure: unknown = new Error('there is no endpoint to read from');
  for (const deadlineMs = Date.now() + 20_000; Date.now() < deadlineMs; await sleep(100)) {
    for (const endpoint of endpoints) {
      const client = connectEtcd(endpoint, { timeoutMs: 5000 });
      try {
        return await client.range(prefix);
      } catch (error) {
        failure = error;
      } finally {
        client.close();
      }
    }
  }
  throw new Error('the writes could not be read back', { cause: failure });
}
