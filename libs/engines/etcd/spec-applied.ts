import type { Condition } from '../../engine/contract.ts';
import type { PodFact } from './facts.ts';
import { claimMadeFor, podMadeWith } from './made-for.ts';
import { memberImage } from './member-pod.ts';
import { memberNumber } from './names.ts';
import type { EtcdSpec } from './resource.ts';
import { claimOf, type World } from './world.ts';

/**
 * Whether the members are as the spec of now asks for. A change of spec.pod or spec.repository applies to pods that are
 * made from then on; until all pods are of then, the condition SpecApplied names the fields and the pods. Pure.
 */
export function specApplied(world: World): Condition {
  const older = new Map<string, string[]>();
  for (const pod of world.pods.filter(({ deleting }) => !deleting)) {
    for (const field of differingFields(world, pod))
      older.set(field, [...(older.get(field) ?? []), pod.name]);
  }
  const type = 'SpecApplied';
  const unused = unusedFields(world.spec);
  const said = unused.map((field) => `${field} is accepted for compatibility and has no effect.`);
  if (older.size === 0) {
    const message = ['nothing of the spec waits for new pods.', ...said].join(' ').replace(/\.$/, '');
    return { type, status: 'True', reason: 'AsAsked', message };
  }
  const names = [...new Set([...older.values()].flat())].sort();
  const fields = [...older.keys()].sort().join(', ');
  const changed = `${fields}: not what ${names.join(', ')} were made with; it applies to pods made from now on.`;
  const message = [changed, adviceFor(world), ...said].join(' ').replace(/\.$/, '');
  return { type, status: 'False', reason: 'PodsOlder', message };
}

/** A pod may only be deleted by hand where its data or the others survive that. */
function adviceFor({ membership, claims }: World): string {
  const survives = claims.length > 0 || (membership?.voters.length ?? 0) >= 3;
  const must = 'while all other members are ready';
  return survives
    ? `What you can do: delete these pods, one at a time and each ${must}.`
    : 'What you can do: nothing without losing data; a pod that is deleted here has no copy of it.';
}

/** Paths of the fields that the pod was not made with; none where it does not say what it was made with. */
function differingFields(world: World, pod: PodFact): string[] {
  const { spec } = world;
  const found: string[] = [];
  if (pod.image !== memberImage({ ...spec, version: pod.version })) found.push('spec.repository');
  if (pod.madeWith === null) return found;
  const { parts, env } = pod.madeWith;
  const wanted = podMadeWith(spec);
  for (const part of new Set([...Object.keys(parts), ...Object.keys(wanted)]))
    if (parts[part] !== wanted[part]) found.push(`spec.pod.${part}`);
  if (!isAsAsked(env, spec.pod?.etcdEnv ?? [])) found.push('spec.pod.etcdEnv');
  const claim = claimOf(world, memberNumber(world.cluster.name, pod.name) ?? 0);
  const isOfOtherClaim = claim
    ? claim.madeFor !== null && claim.madeFor !== claimMadeFor(spec)
    : claimMadeFor(spec) !== undefined;
  if (isOfOtherClaim) found.push('spec.pod.persistentVolumeClaimSpec');
  return found;
}

/** Whether what is there has all that was asked for; the API server fills in what was not. */
function isAsAsked(present: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(present) &&
      present.length === wanted.length &&
      wanted.every((each, index) => isAsAsked(present[index], each))
    );
  }
  if (typeof wanted !== 'object' || wanted === null) return (present ?? '') === (wanted ?? '');
  if (typeof present !== 'object' || present === null) return false;
  const have = new Map(Object.entries(present));
  return Object.entries(wanted).every(([field, value]) => isAsAsked(have.get(field), value));
}

const unusedFields = ({ pod = {} }: EtcdSpec): string[] =>
  (['busyboxImage', 'DNSTimeoutInSecond'] as const)
    .filter((field) => pod[field] !== undefined)
    .map((field) => `spec.pod.${field}`);
