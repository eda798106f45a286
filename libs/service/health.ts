import { messageOf } from '../errors/catalogue.ts';

/** Says whether something that the service needs can be used right now; what it throws is the reason why not. */
export type Check = () => boolean | Promise<boolean>;

/** What a process knows of its own health: a list of what is wrong, empty where nothing is. */
export interface Health {
  /** From now on, the service is ready while all of these hold. Before the first call it is starting. */
  ready(checks: Record<string, Check>): void;
  /** From now on, it is not: it was asked to stop. */
  stopping(): void;
  unready(): Promise<string[]>;
  /**
   * Runs a piece of work that ends by its own time limits, whatever the servers that it asks are doing. One that
   * does not is stuck, and only a new process helps.
   */
  work<Result>(what: string, run: () => Promise<Result>): Promise<Result>;
  stuck(): string[];
}

/** Many times what the requests of a pass may take together where each nearly runs into its time limit. */
const stuckAfterMs = 10 * 60_000;

export function createHealth(nowMs: () => number = () => performance.now()): Health {
  const running = new Set<{ what: string; sinceMs: number }>();
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  let checks: Record<string, Check> = {};
  return {
    ready(given) {
      checks = given;
      if (phase === 'starting') phase = 'running';
    },
    stopping() {
      phase = 'stopping';
    },
    async unready() {
      if (phase !== 'running') return [phase];
      const found = await Promise.all(Object.entries(checks).map(([name, check]) => problemOf(name, check)));
      return found.flat();
    },
    async work(what, run) {
      const entry = { what, sinceMs: nowMs() };
      running.add(entry);
      try {
        return await run();
      } finally {
        running.delete(entry);
      }
    },
    stuck() {
      return [...running].flatMap(({ what, sinceMs }) => {
        const lastsMs = nowMs() - sinceMs;
        return lastsMs > stuckAfterMs ? [`${what} has not ended for ${Math.round(lastsMs / 1000)} s`] : [];
      });
    },
  };
}

async function problemOf(name: string, check: Check): Promise<string[]> {
  try {
    return (await check()) ? [] : [`${name} is not reachable`];
  } catch (error) {
    return [`${name}: ${messageOf(error)}`];
  }
}
