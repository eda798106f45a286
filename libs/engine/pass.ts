import { resourceTypeOf } from '../kube/definition.ts';
import { type ClusterKey, formatKey } from '../kube/key.ts';
import type { Kube } from '../kube/kube.ts';
import type { KubeObject } from '../kube/object.ts';
import { act, checkHeld, describeFailure } from './act.ts';
import type { Engine, Plan } from './contract.ts';
import { type Decision, decisionFormat } from './decision.ts';

export interface PassOptions {
  engine: Engine;
  kube: Kube;
  key: ClusterKey;
  /** Ids of the events that woke it. */
  wokenBy: string[];
  /** Names this pass in records and logs, unique. */
  id: string;
  traceId: string;
  worker: string;
  now: () => number;
  /** Aborted when this worker no longer holds the task. */
  signal: AbortSignal;
}

/**
 * One pass: observe → plan → act, and its decision record, whatever happened. It never throws: what ended it
 * early is the record's `error`, TASK_LOST where the signal was aborted.
 */
export async function runPass(options: PassOptions): Promise<Decision> {
  const { engine, kube, key, now, signal } = options;
  const startedMs = now();
  const decision: Decision = {
    format: decisionFormat,
    id: options.id,
    kube: kube.id,
    key: formatKey(key),
    engine: { name: engine.name, version: engine.version },
    worker: options.worker,
    wokenBy: options.wokenBy,
    traceId: options.traceId,
    time: new Date(startedMs).toISOString(),
    spec: null,
    facts: null,
    nowMs: startedMs,
    steps: [],
    durationMs: { observe: 0, plan: 0, act: 0 },
  };
  try {
    const resource = await kube.get(resourceTypeOf(engine.resource), key.namespace, key.name, signal);
    if (resource) decision.resource = identify(resource);
    const facts = plainJson(await engine.observe({ key, kube, resource, signal }));
    decision.facts = facts;
    decision.nowMs = now();
    decision.durationMs.observe = decision.nowMs - startedMs;
    checkHeld(signal);

    const [spec, plan] = decide(engine, resource, facts, decision.nowMs);
    decision.spec = plainJson(spec ?? null);
    decision.plan = plainJson(plan);
    const plannedMs = now();
    decision.durationMs.plan = plannedMs - decision.nowMs;

    const acted = await act(engine, plan.steps, { key, kube, signal }, now);
    decision.steps = acted.records;
    if (acted.error) decision.error = acted.error;
    decision.durationMs.act = now() - plannedMs;
  } catch (error) {
    decision.error = describeFailure(error, signal);
  }
  return decision;
}

/** Parses the spec and plans. A spec that the schema refuses is answered on the resource, and nothing is done. */
function decide(
  engine: Engine,
  resource: KubeObject | undefined,
  facts: unknown,
  nowMs: number,
): [unknown, Plan] {
  if (!resource) return [undefined, engine.plan(undefined, facts, nowMs)];
  const read = engine.resource.spec.safeParse(resource['spec'] ?? {});
  if (read.success) return [read.data, engine.plan(read.data, facts, nowMs)];
  // A resource that is being deleted is deleted whatever its spec says.
  if (resource.metadata.deletionTimestamp) return [resource['spec'], engine.plan(undefined, facts, nowMs)];
  const problems = read.error.issues.map((issue) => `${['spec', ...issue.path].join('.')}: ${issue.message}`);
  const message = problems.join('; ');
  const invalid: Plan = {
    reason: 'InvalidSpec',
    message,
    steps: [],
    status: undefined,
    blocked: {
      rule: 'nothing is changed for a spec that cannot be understood',
      evidence: message,
      action: 'correct the named fields; the running cluster stays as it is until then',
    },
  };
  return [resource['spec'], invalid];
}

function identify(resource: KubeObject): { uid: string; generation: number; resourceVersion: string } {
  const { uid = '', generation = 0, resourceVersion = '' } = resource.metadata;
  return { uid, generation, resourceVersion };
}

/** Just what JSON keeps, so that the recorded facts are the very ones that were planned with. */
function plainJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
