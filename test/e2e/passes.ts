import type { TestContext } from 'node:test';
import { connectBus } from '../../libs/bus/bus.ts';
import { decisionFilter, repeatFilter } from '../../libs/bus/subjects.ts';
import { type Decision, readDecision } from '../../libs/engine/decision.ts';
import { repeatSchema } from '../../libs/engine/repeat.ts';
import type { EtcdFacts } from '../../libs/engines/etcd/facts.ts';
import { createTestLog } from '../log.ts';
import { redisCommand } from '../servers.ts';
import { until } from '../wait.ts';
import type { Stage } from './stage.ts';
import type { Watched } from './watched.ts';

/**
 * Wakes the cluster so many times, each time waiting for a pass that began after it, so that a test can say
 * "nothing happens" without sleeping. Returns all passes since the call that came to a plan: one that lost its task on
 * the way decided nothing, and another one follows.
 */
export async function morePasses(
  stage: Stage,
  watched: Watched,
  name: string,
  count: number,
): Promise<Decision[]> {
  const since = (fromMs: number) =>
    watched.decisions(name).filter(({ time, plan }) => plan !== undefined && Date.parse(time) >= fromMs);
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

/** Whether the member said, when the pass asked it, that it leads. */
export function leads(facts: unknown, name: string): boolean {
  const { members = {} } = (facts ?? {}) as Partial<EtcdFacts>;
  const status = members[name]?.status;
  return status?.ok === true && status.value.leaderId === status.value.memberId;
}

/**
 * Does what shows that nothing happens to a cluster at rest, and does it again where its members gave a reason for
 * something meanwhile: on a busy machine one may not answer in time, or another one be elected. The third time counts
 * in any case.
 */
export async function undisturbed<Result>(
  watched: Watched,
  name: string,
  show: () => Promise<Result>,
): Promise<Result> {
  for (let time = 1; ; time++) {
    const known = watched.decisions(name).length;
    const result = await show();
    if (time === 3 || watched.decisions(name).slice(known).every(isCalm)) return result;
  }
}

/** Whether a pass found all members as they should be, and none of them had woken it. */
function isCalm({ wokenBy, facts }: Decision): boolean {
  const { pods, members = {} } = (facts ?? {}) as Partial<EtcdFacts>;
  return (
    !wokenBy.some((id) => id.startsWith('look/')) &&
    Object.values(members).every(({ quorum }) => quorum.ok) &&
    (!pods?.ok || pods.value.every(({ ready }) => ready))
  );
}

/** Reads, each time it is called, when the last pass of the cluster began, in milliseconds since 1970. */
export async function lastPassOf(
  stage: Stage,
  owner: Pick<TestContext, 'after'>,
  name: string,
): Promise<() => Promise<number>> {
  const stop = new AbortController();
  const given = { url: stage.operator.natsUrl, name: 'test', log: createTestLog(), signal: stop.signal };
  const bus = await connectBus({ ...given, streams: 'as they are' });
  owner.after(async () => {
    stop.abort();
    await bus.close();
  });
  const key = { engine: 'etcd', namespace: stage.namespace, name };
  const read = (stream: 'decisions' | 'repeats', filter: string) =>
    bus.read({ stream, filter, signal: stop.signal });
  return async () => {
    const times: string[] = [];
    for await (const { payload } of read('decisions', decisionFilter('local', key)))
      times.push(readDecision(JSON.parse(payload)).time);
    // Passes that found what the one before had found are told in one message.
    for await (const { payload } of read('repeats', repeatFilter('local', key)))
      times.push(repeatSchema.parse(JSON.parse(payload)).lastTime);
    return Math.max(0, ...times.map((time) => Date.parse(time)));
  };
}

/**
 * Has every cluster get a pass that nothing has happened for, as when Redis has lost what was due, and waits for that
 * of this one.
 */
export async function passUnasked(stage: Stage, lastPass: () => Promise<number>): Promise<void> {
  const askedMs = Date.now();
  await redisCommand({ url: stage.operator.redisUrl }, 'DEL quorate-turn:local:resync');
  await until('one more pass', async () => (await lastPass()) >= askedMs, 60_000);
}
