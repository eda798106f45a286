import { approvalAnnotations, approveCommand, planHash } from '../../../libs/engine/approval.ts';
import { type BlockedParts, readBlocked } from '../../../libs/engine/blocked.ts';
import { type Change, changesBetween } from '../../../libs/engine/changes.ts';
import type { Condition, Engine, Margin, Plan } from '../../../libs/engine/contract.ts';
import { decide } from '../../../libs/engine/decide.ts';
import { type Forecast, forecast } from '../../../libs/engine/forecast.ts';
import { QuorateError } from '../../../libs/errors/catalogue.ts';
import { resourceTypeOf } from '../../../libs/kube/definition.ts';
import { type ClusterKey, formatKey } from '../../../libs/kube/key.ts';
import type { Kube, ReadableKube } from '../../../libs/kube/kube.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { tryEdit } from './edit.ts';
import type { Manifest } from './manifest.ts';

/** What an edit would do, before it is applied. */
export interface Foreseen {
  key: string;
  edit: 'create' | 'change' | 'nothing' | 'delete';
  changes: Change[];
  /** What a reader must know to trust it rightly. */
  notes: string[];
  forecast: Omit<Forecast, 'blocked'>;
  /** What it is approved by; absent for a deletion, and where nothing can be approved. */
  approval?: { hash: string; isRequired: boolean; command: string };
  blocked: BlockedParts | undefined;
}

export interface Looking {
  kube: ReadableKube;
  nowMs: number;
  signal: AbortSignal;
}

/** Looks at the cluster, and simulates from there on with the edited spec. Changes nothing. */
export async function foreseeEdit(looking: Looking, dryKube: Kube, manifest: Manifest): Promise<Foreseen> {
  const { engine, key } = manifest;
  const type = resourceTypeOf(engine.resource);
  const present = await looking.kube.get(type, key.namespace, key.name, looking.signal);
  const { resource, isTried } = await tryEdit(dryKube, manifest, present);
  const changes = changesBetween(specOf(engine, present), specOf(engine, resource));
  const edit = !present ? 'create' : changes.length > 0 ? 'change' : 'nothing';
  const notes = isTried ? [] : ['the API was not asked whether it takes the edit: there is no right to try'];
  return foresee(looking, { engine, key, present, resource, edit, changes, notes });
}

/** The same for the deletion of a cluster. */
export async function foreseeDeletion(looking: Looking, engine: Engine, key: ClusterKey): Promise<Foreseen> {
  const type = resourceTypeOf(engine.resource);
  const present = await looking.kube.get(type, key.namespace, key.name, looking.signal);
  if (!present) throw new QuorateError('KUBE_REFUSED', `there is no ${formatKey(key)}`);
  const rest = { resource: undefined, edit: 'delete', changes: [], notes: [] } as const;
  return foresee(looking, { engine, key, present, ...rest });
}

interface Edit {
  engine: Engine;
  key: ClusterKey;
  present: KubeObject | undefined;
  /** As edited; `undefined` where it is deleted. */
  resource: KubeObject | undefined;
  edit: Foreseen['edit'];
  changes: readonly Change[];
  notes: readonly string[];
}

async function foresee({ kube, nowMs, signal }: Looking, edited: Edit): Promise<Foreseen> {
  const { engine, key, present, resource, edit, changes } = edited;
  const look = () => engine.observe({ key, kube, resource, signal });
  let facts = await look();
  // The first questions of a process are its slowest: nobody is taken for silent who has not been asked twice.
  if (present && engine.margin?.(facts)?.away.length !== 0) facts = await look();
  const given = (of: KubeObject | undefined) => ({
    spec: of && (of['spec'] ?? {}),
    deleting: of?.metadata.deletionTimestamp !== undefined,
    facts,
    nowMs,
    version: engine.version,
  });
  if (present && resource) checkSight(present, decide(engine, given(present)).plan);
  const { spec, plan } = decide(engine, given(resource));
  const found =
    plan.reason === 'InvalidSpec'
      ? asItIs(plan, engine.margin?.(facts))
      : forecast(engine, spec, facts, nowMs);
  if (!found) throw new QuorateError('PLAN_UNFORESEEN', plan.message);
  const { blocked, ...rest } = found;
  const since = sinceWhen(present, found.reason);
  const away = found.margin?.away ?? [];
  const silent = `${away.join(', ')}: does not answer; it is assumed that it stays so`;
  return {
    key: formatKey(key),
    edit,
    changes: [...changes],
    notes: [...edited.notes, ...(away.length > 0 ? [silent] : [])],
    forecast: rest,
    blocked: blocked && { ...blocked, since },
    ...approvalOf(edited, plan.reason === 'InvalidSpec' ? undefined : planHash(engine, spec, facts, nowMs)),
  };
}

function approvalOf({ engine, key, resource }: Edit, hash: string | undefined): Pick<Foreseen, 'approval'> {
  if (!resource || hash === undefined) return {};
  const isRequired = resource.metadata.annotations?.[approvalAnnotations.approval] === 'required';
  return { approval: { hash, isRequired, command: approveCommand(engine, key, hash) } };
}

/** The forecast for a plan by which nothing is ever done. */
function asItIs({ reason, message, status, blocked }: Plan, margin: Margin | undefined): Forecast {
  const end = { reason, message, status, blocked, marginAtEnd: margin };
  return { margin, steps: [], end: 'blocked', ...end, simulatedMs: 0 };
}

/** Of an edited spec, what the engine understands, its defaults with it; else as it is written. */
function specOf({ resource: { spec } }: Engine, resource: KubeObject | undefined): unknown {
  if (!resource) return undefined;
  const read = spec.safeParse(resource['spec']);
  return read.success ? read.data : resource['spec'];
}

const conditionOf = (resource: KubeObject | undefined, type: string) => {
  const { conditions } = (resource?.['status'] ?? {}) as { conditions?: Condition[] };
  return conditions?.find((condition) => condition.type === type);
};

/** Where the workers reach the members and this machine does not, nothing could be foreseen but doom. */
function checkSight(present: KubeObject, { status }: Plan): void {
  const here = status?.conditions.find(({ type }) => type === 'Available');
  if (here?.status !== 'False' || conditionOf(present, 'Available')?.status !== 'True') return;
  throw new QuorateError(
    'PLAN_UNFORESEEN',
    `Quorate finds ${present.metadata.name} available, but its members do not answer here`,
  );
}

function sinceWhen(present: KubeObject | undefined, reason: string): string {
  const condition = conditionOf(present, 'Blocked');
  const isSame = condition?.status === 'True' && condition.reason === reason;
  return (isSame && readBlocked(condition.message)?.since) || 'from when it is applied';
}
