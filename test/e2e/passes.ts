import type { TestContext } from 'node:test';
import { connectBus } from '../../libs/bus/bus.ts';
import { repeatFilter } from '../../libs/bus/subjects.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { type Repeat, repeatSchema } from '../../libs/engine/repeat.ts';
import { createTestLog } from '../log.ts';
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
    await until(`a pass of ${name}`, () => since(wokenMs).length > 0, 150_000);
  }
  return since(calledMs);
}

/** The names of the steps of these passes that changed something, in order. */
export const stepsDone = (passes: Decision[]): string[] =>
  passes.flatMap(({ steps }) => steps.filter(({ outcome }) => outcome === 'done').map(({ step }) => step));

/** Reads, each time it is called, how often workers have found their last decisions about the cluster again. */
export async function repeatsOf(
  stage: Stage,
  t: TestContext,
  name: string,
): Promise<() => Promise<Repeat[]>> {
  const given = { url: stage.operator.natsUrl, name: 'test', log: createTestLog(), signal: t.signal };
  const bus = await connectBus({ ...given, streams: 'as they are' });
  t.after(() => bus.close());
  const filter = repeatFilter('local', { engine: 'etcd', namespace: stage.namespace, name });
  return async () => {
    const repeats: Repeat[] = [];
    for await (const { payload } of bus.read({ stream: 'repeats', filter, signal: t.signal }))
      repeats.push(repeatSchema.parse(JSON.parse(payload)));
    return repeats;
  };
}
