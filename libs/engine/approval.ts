import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../kube/object.ts';
import { changesBetween } from './changes.ts';
import type { Blocked, Engine } from './contract.ts';
import { decide, type Planner } from './decide.ts';
import { digest } from './digest.ts';
import { isTooDeep } from './fit.ts';
import { type Forecast, forecast } from './forecast.ts';

/**
 * Approval of edits. A resource with `quorate.io/approval: required` is only changed by a plan that somebody has
 * approved, by its hash. What has been accepted is kept on the resource, noted before anything is done for it; while
 * the spec is another one, the cluster is kept as accepted, so that healing needs no approval.
 */
export const approvalAnnotations = {
  approval: 'quorate.io/approval',
  approvedPlan: 'quorate.io/approved-plan',
  acceptedSpec: 'quorate.io/accepted-spec',
} as const;

export type Ruling =
  /** The spec may be acted on: nobody asks for an approval, or it is the accepted one. */
  | { state: 'free' }
  /** The spec is accepted from now on: first to be noted so on the resource. `null` takes a note away. */
  | { state: 'accepted'; hash?: string; note: string | null }
  /** Not approved: the cluster is kept as accepted, or left alone where that is not known. */
  | { state: 'held'; hash?: string; spec: unknown; blocked: Blocked };

/** The part of an engine that can see ahead. */
export type Foreseer = Planner & Pick<Engine, 'margin' | 'simulate'>;

/** Rules on the spec of a resource as it stands, by what would come of it. Pure. */
export function rule(engine: Foreseer, resource: KubeObject, facts: unknown, nowMs: number): Ruling {
  const annotations = resource.metadata.annotations ?? {};
  const { approval, approvedPlan, acceptedSpec } = approvalAnnotations;
  const note = annotations[acceptedSpec];
  if (resource.metadata.deletionTimestamp !== undefined) return { state: 'free' };
  // A note that nobody minds any more would be out of date by the time somebody does again.
  if (annotations[approval] !== 'required') {
    return note === undefined ? { state: 'free' } : { state: 'accepted', note: null };
  }
  const wanted = engine.resource.spec.safeParse(resource['spec']);
  // A spec that cannot be understood changes nothing. Nor does a pause, which must be possible at any moment.
  if (!wanted.success || (wanted.data as { paused?: unknown }).paused === true) return { state: 'free' };
  const accepted = readNote(engine, note);
  if (accepted && isDeepStrictEqual(accepted.read, wanted.data)) return { state: 'free' };

  const foreseen = foresee(engine, wanted.data, facts, nowMs);
  if (!foreseen) return { state: 'held', spec: accepted?.written, blocked: unforeseen };
  const hash = hashOf(engine, wanted.data, foreseen);
  const isApproved = annotations[approvedPlan] === hash;
  if (isApproved || (!accepted && foreseen.forecast.steps.length === 0)) {
    return { state: 'accepted', hash, note: JSON.stringify(resource['spec']) };
  }
  const changes = accepted ? changesBetween(accepted.read, wanted.data).map(({ field }) => field) : [];
  const blocked = whyHeld(engine, resource, foreseen.forecast, {
    hash,
    changes,
    approved: annotations[approvedPlan],
  });
  return { state: 'held', hash, spec: accepted?.written, blocked };
}

const approvedOnly = 'this resource is only changed by a plan that is approved';

/** Where the facts could not be read, or the engine cannot see ahead, there is nothing that could be approved. */
const unforeseen: Blocked = {
  rule: approvedOnly,
  evidence: 'what the edit would do cannot be foreseen at present',
  action: 'see with quorate plan why not, or take the edit back',
};

/** The hash by which a plan is approved; `undefined` where nothing can be foreseen. Pure. */
export function planHash(engine: Foreseer, spec: unknown, facts: unknown, nowMs: number): string | undefined {
  const foreseen = foresee(engine, spec, facts, nowMs);
  return foreseen && hashOf(engine, spec, foreseen);
}

interface Foreseen {
  forecast: Forecast;
  /** What of the facts matters: who the members are, who of them serves, what they run. */
  present: unknown;
}

function foresee(engine: Foreseer, spec: unknown, facts: unknown, nowMs: number): Foreseen | undefined {
  const found = forecast(engine, spec, facts, nowMs);
  if (!found) return undefined;
  const { plan } = decide(engine, { spec, deleting: false, facts, nowMs, version: engine.version });
  const { conditions: _conditions, reason: _reason, ...present } = plan.status ?? { conditions: [] };
  return { forecast: found, present };
}

function hashOf({ name, version }: Foreseer, spec: unknown, { forecast: found, present }: Foreseen): string {
  const steps = found.steps.map(({ step, subject = null }) => [step, subject]);
  return digest({ engine: [name, version], spec, present, steps, end: [found.end, found.reason] });
}

/** As it was written, and as it is understood today. A note that cannot be read is none. */
function readNote(
  engine: Planner,
  note: string | undefined,
): { written: unknown; read: unknown } | undefined {
  if (note === undefined) return undefined;
  try {
    const written: unknown = JSON.parse(note);
    if (isTooDeep(written)) return undefined;
    const read = engine.resource.spec.safeParse(written);
    return read.success ? { written, read: read.data } : undefined;
  } catch {
    // Somebody has written something else there; without the note, nothing is done before an approval.
    return undefined;
  }
}

/** The most steps that are named in the evidence. */
const namedSteps = 5;

/** What a person types to approve a plan. */
export function approveCommand(
  { resource: { plural, group } }: Pick<Engine, 'resource'>,
  { namespace, name }: { namespace?: string; name: string },
  hash: string,
): string {
  const { approvedPlan } = approvalAnnotations;
  return `kubectl annotate ${plural}.${group} ${name} -n ${namespace} --overwrite ${approvedPlan}=${hash}`;
}

/** Names fields and never their values, which may be secret. */
function whyHeld(
  engine: Foreseer,
  { metadata }: KubeObject,
  { steps }: Forecast,
  { hash, changes, approved }: { hash: string; changes: string[]; approved: string | undefined },
): Blocked {
  const named = steps
    .slice(0, namedSteps)
    .map(({ step, subject }) => [step, subject].filter(Boolean).join(' '));
  const more = steps.length > namedSteps ? [`${steps.length - namedSteps} more`] : [];
  const edit = changes.length > 0 ? `${changes.join(', ')} changed` : 'nothing has been accepted yet';
  const plan = `plan ${hash}, ${steps.length} steps: ${[...named, ...more].join(', ') || 'none'}`;
  const other = approved ? [`approved is ${approved}: the edit or the cluster is not what it was then`] : [];
  return {
    rule: approvedOnly,
    evidence: [edit, plan, ...other].join('; '),
    action: `look at it with quorate plan, then approve it with ${approveCommand(engine, metadata, hash)}; or take the edit back`,
  };
}
