import { randomUUID } from 'node:crypto';
import type { Engine } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { runPass } from '../../libs/engine/pass.ts';
import type { Scope } from '../../libs/engine/scope.ts';
import { QuorateError } from '../../libs/errors/catalogue.ts';
import { type ClusterKey, parseKey } from '../../libs/kube/key.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import type { TaskHandler } from '../../libs/queue/run.ts';
import type { Log } from '../../libs/service/log.ts';
import type { Tracing } from '../../libs/service/tracing.ts';
import type { Looks } from './look.ts';
import { startPassSpan } from './spans.ts';

/** How soon a pass follows one whose record was not stored in time, in milliseconds. */
const unrecordedMs = 10_000;

/**
 * Runs one pass per task, or a look where that will do, and hands on the decision record of each pass. A pass that ended
 * with an error fails the task: it backs off.
 */
export function reconcile(options: {
  kube: Kube;
  engines: Engine[];
  /** Takes the record of every pass, and says whether it was stored in time, see `Outbox`. */
  record: (key: ClusterKey, decision: Decision, signal: AbortSignal) => Promise<boolean>;
  worker: string;
  /** Keys the tokens that stand for secrets in records. */
  digestKey: string;
  tracing: Tracing;
  scope: Scope;
  looks: Looks;
  log: Log;
}): TaskHandler {
  const { kube, engines, record, worker, digestKey, tracing, scope, looks, log } = options;
  return async (task, signal) => {
    const key = parseKey(task.key);
    const engine = engines.find(({ name }) => name === key?.engine);
    if (!key || !engine) {
      log.error({ key: task.key }, 'task dropped: its key names no known engine and cluster');
      return {};
    }
    if (scope.namespaces?.includes(key.namespace) === false) {
      log.debug({ key: task.key }, 'task dropped: its namespace is not looked after here');
      return {};
    }
    const looked = await looks.look(engine, task, signal);
    if (looked && !('changed' in looked)) return looked;
    const lookedAt = looked ? [`look/${looked.changed.join(',')}`] : [];
    const [parent, ...links] = task.wokenBy.flatMap(({ traceparent }) => traceparent ?? []).reverse();
    const span = startPassSpan(tracing, { parent, links, startMs: Date.now() });
    const { traceId, spanId, sampled } = span.context;
    const decision = await runPass({
      engine,
      kube,
      key,
      scope,
      wokenBy: [...task.wokenBy.map((wake) => wake.eventId), ...lookedAt],
      id: randomUUID(),
      traceId,
      ...(sampled && { spanId }),
      worker,
      digestKey,
      now: Date.now,
      signal,
    });
    span.end(decision, Date.now());
    const isRecorded = await record(key, decision, signal);
    const { plan, error } = decision;
    const fields = { key: task.key, decision: decision.id, traceId: decision.traceId };
    if (error) {
      log.debug({ ...fields, ...error }, 'pass ended with an error');
      throw new QuorateError('PASS_FAILED', error.message, fields);
    }
    log.debug({ ...fields, reason: plan?.reason, steps: decision.steps.length }, 'pass done');
    // Nothing is done before an edit is approved, which is an event.
    const isHeld =
      decision.approval?.state === 'held' && decision.steps.length === 0 && plan?.steps.length !== 0;
    const ending = isHeld ? {} : looks.after(engine, decision);
    // Until a record is stored in time, there are passes, since only a record leads to a status.
    return isRecorded
      ? ending
      : { requeueAfterMs: Math.min(ending.requeueAfterMs ?? unrecordedMs, unrecordedMs) };
  };
}
