import type { Decision } from '../../libs/engine/decision.ts';
import { until } from '../wait.ts';
import type { Stage } from './stage.ts';
import type { Watched } from './watched.ts';

/**
 * Wakes the cluster so many times, each time waiting for a pass that began after it, so that a test can say
 * "nothing happens" without sleeping. Returns all passes since the call.
 */
export async function morePasses(
  stage: Stage,
  watched: Watched,
  name: string,
  count: number,
): Promise<Decision[]> {
  const since = (fromMs: number) => watched.decisions(name).filter(({ time }) => Date.parse(time) >= fromMs);
  const calledMs = Date.now();
  for (let turn = 1; turn <= count; turn++) {
    const wokenMs = Date.now();
    await stage.kubectl('annotate', 'etcd', name, '--overwrite', `example.com/woken=${wokenMs}`);
    await until(`a pass of ${name}`, () => since(wokenMs).length > 0, 60_000);
  }
  return since(calledMs);
}

/** The names of the steps of these passes that changed something, in order. */
export const stepsDone = (passes: Decision[]): string[] =>
  passes.flatMap(({ steps }) => steps.filter(({ outcome }) => outcome === 'done').map(({ step }) => step));
