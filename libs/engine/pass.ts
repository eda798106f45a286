import { QuorateError } from '../errors/catalogue.ts';
import { resourceTypeOf } from '../kube/definition.ts';
import { type ClusterKey, formatKey } from '../kube/key.ts';
import type { Kube } from '../kube/kube.ts';
import type { KubeObject } from '../kube/object.ts';
import { act, checkHeld, describeFailure } from './act.ts';
import { approvalAnnotations, type Ruling, rule } from './approval.ts';
import type { Engine } from './contract.ts';
import { decide } from './decide.ts';
import { type Decision, decisionFormat } from './decision.ts';
import { whyUnfit } from './fit.ts';
import { leftAlone, notOurs, type Scope } from './scope.ts';
import { openSecrets, type Secrets } from './secrets.ts';

export interface PassOptions {
  engine: Engine;
  kube: Kube;
  key: ClusterKey;
  scope: Scope;
  /** Ids of the events that woke it. */
  wokenBy: string[];
  /** Names this pass in records and logs, unique. */
  id: string;
  traceId: string;
  /** The span of this pass, where the trace is kept. */
  spanId?: string;
  worker: string;
  /** Keys the tokens that stand for secrets, see `openSecrets`. */
  digestKey: string;
  now: () => number;
  /** Aborted when this worker no longer holds the task. */
  signal: AbortSignal;
}

/**
 * One pass: observe → plan → act, and its decision record, whatever happened. It never throws: what ended it
 * early is the record's `error`, TASK_LOST where the signal was aborted. Secrets are hidden from all but the steps:
 * what is planned with is what is recorded.
 */
export async function runPass(options: PassOptions): Promise<Decision> {
  const { engine, key, now, signal } = options;
  const secrets = openSecrets(options.digestKey, [key.namespace, key.name]);
  const kube = learning(options.kube, secrets);
  const type = resourceTypeOf(engine.resource);
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
    ...(options.spanId !== undefined && { spanId: options.spanId }),
    time: new Date(startedMs).toISOString(),
    spec: null,
    facts: null,
    nowMs: startedMs,
    steps: [],
    durationMs: { observe: 0, plan: 0, act: 0 },
  };
  try {
    const read = await options.kube.get(type, key.namespace, key.name, signal);
    if (read) decision.resource = identify(read);
    const resource = read && fit(read);
    secrets.learn(resource);
    // A resource that is gone says nothing. What it left behind goes, whoever comes first, as Kubernetes would have it.
    const why = resource && leftAlone(options.scope, engine.resource, resource);
    if (resource && why !== undefined) {
      decision.resource = { ...identify(resource), leftAlone: why };
      decision.plan = plainJson(notOurs(why));
      return decision;
    }
    const facts = secrets.hide(plainJson(await engine.observe({ key, kube, resource, signal })));
    decision.facts = facts;
    decision.nowMs = now();
    decision.durationMs.observe = decision.nowMs - startedMs;
    checkHeld(signal);

    const ruling: Ruling = resource ? rule(engine, resource, facts, decision.nowMs) : { state: 'free' };
    if (ruling.state !== 'free') {
      const { state, hash } = ruling;
      const blocked = ruling.state === 'held' ? { blocked: ruling.blocked } : {};
      decision.approval = secrets.hide({ state, ...(hash !== undefined && { hash }), ...blocked });
    }
    const keptSpec = ruling.state === 'held' ? ruling.spec : undefined;
    const given = resource && secrets.hide(keptSpec ?? resource['spec'] ?? {});
    decision.spec = given ?? null;
    const { spec, plan } = decide(engine, {
      spec: given,
      deleting: resource?.metadata.deletionTimestamp !== undefined,
      facts,
      nowMs: decision.nowMs,
      version: engine.version,
    });
    decision.spec = plainJson(spec ?? null);
    decision.plan = plainJson(plan);
    const plannedMs = now();
    decision.durationMs.plan = plannedMs - decision.nowMs;

    if (resource && ruling.state === 'accepted')
      await noteAccepted(kube, engine, resource, ruling.note, signal);
    const mayAct = ruling.state === 'free' || keptSpec !== undefined;
    const steps = mayAct ? plan.steps : [];
    const acted = await act(engine, steps, { key, kube, signal, reveal: secrets.reveal }, now);
    decision.steps = secrets.hide(acted.records);
    if (acted.error) decision.error = secrets.hide(acted.error);
    decision.durationMs.act = now() - plannedMs;
  } catch (error) {
    decision.error = secrets.hide(describeFailure(error, signal));
  }
  return decision;
}

/** The resource, without its spec where that is being deleted anyway. Throws SPEC_UNFIT. */
function fit(resource: KubeObject): KubeObject {
  const unfit = whyUnfit(resource['spec']);
  if (unfit === undefined) return resource;
  if (resource.metadata.deletionTimestamp === undefined) throw new QuorateError('SPEC_UNFIT', unfit);
  return { ...resource, spec: {} };
}

/** The kube, of which every object that is read tells its secrets before anything else sees it. */
function learning(kube: Kube, secrets: Secrets): Kube {
  return {
    ...kube,
    async get(...call) {
      const object = await kube.get(...call);
      secrets.learn(object);
      return object;
    },
    async list(...call) {
      const listed = await kube.list(...call);
      secrets.learn(listed.items);
      return listed;
    },
  };
}

/**
 * Before anything is done for a spec, it is noted as accepted; the note wakes the pass that acts on it. The approval is
 * used up with that: another edit that leads to the same is another edit.
 */
async function noteAccepted(
  kube: Kube,
  engine: Engine,
  { metadata }: KubeObject,
  note: string | null,
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion, namespace, name } = metadata;
  const { acceptedSpec, approvedPlan } = approvalAnnotations;
  const annotations = { [acceptedSpec]: note, ...(note !== null && { [approvedPlan]: null }) };
  const patch = { metadata: { uid, resourceVersion, annotations } };
  await kube.patch(resourceTypeOf(engine.resource), namespace, name, patch, signal);
}

function identify({ metadata }: KubeObject): NonNullable<Decision['resource']> {
  const { uid = '', generation = 0, resourceVersion = '', deletionTimestamp } = metadata;
  return { uid, generation, resourceVersion, ...(deletionTimestamp !== undefined && { deleting: true }) };
}

/** Just what JSON keeps, so that the recorded facts are the very ones that were planned with. */
function plainJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
