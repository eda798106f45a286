import type { Step } from '../../engine/contract.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ClaimFact, PodFact } from './facts.ts';
import { isKept } from './facts.ts';
import type { Identity } from './identity.ts';
import { madeForAnnotation, madeWithAnnotation } from './made-for.ts';
import { memberImage, memberPod, type Start } from './member-pod.ts';
import { imageAnnotation, memberName } from './names.ts';
import { memberClaim } from './objects.ts';
import type { SetImage } from './steps/image.ts';
import type { AddMember, MoveLeader, PromoteMember, RemoveMember } from './steps/membership.ts';
import type { CreateObject, DeleteObject, RecordIdentity } from './steps/objects.ts';
import type { Member, Membership, PodMember } from './view.ts';
import { endpointOf, quorumOf } from './view.ts';
import { claimOf, type QuorateWorld, type World } from './world.ts';

/** Makes the steps of a plan: each names what it does and why, and carries what its precondition needs. */

export function recordIdentity(world: World, identity: Identity, why: string): Step {
  const { uid, resourceVersion } = world.resource;
  const args: RecordIdentity = { uid, resourceVersion, identity };
  return { step: 'recordIdentity', why, args };
}

/** Spends a member's number, where that is not recorded yet: before its pod, so that no name is ever used twice. */
export function recordNumber(world: World, number: number): Step[] {
  const { identity } = world;
  if (!identity || identity.lastNumber >= number) return [];
  return [
    recordIdentity(
      world,
      { ...identity, lastNumber: number },
      `member number ${number}: given now, and never again to another member`,
    ),
  ];
}

/** The step that makes a member's claim; none where it exists or the cluster keeps no data on claims. */
export function createClaim(world: World, number: number): Step[] {
  const claim = isKept(claimOf(world, number)) ? undefined : memberClaim(world.cluster, world.spec, number);
  if (!claim) return [];
  const args: CreateObject = { type: 'claim', object: noted(world, claim) };
  const why = `claim ${claim.metadata.name}: keeps the data of the member`;
  return [{ step: 'createClaim', why, args }];
}

/** Steps that make a member's pod, and its claim where the cluster keeps data on claims. */
export function createMember(world: World, number: number, start: Start, why: string): Step[] {
  const name = memberName(world.cluster.name, number);
  const claim = createClaim(world, number);
  const claimName = claimOf(world, number) || claim.length > 0 ? name : undefined;
  const object = memberPod(world.cluster, world.spec, number, start, claimName);
  const args: CreateObject = { type: 'pod', object: noted(world, object) };
  return [...claim, { step: 'createPod', why: `pod ${name}: ${why}`, args }];
}

/** The object with the notes of what it was made for, or without those that an older version did not make. */
function noted({ behaves }: World, object: KubeObject): KubeObject {
  const unknown = [
    ...(behaves('madeFor') ? [] : [madeForAnnotation]),
    ...(behaves('rollingUpgrade') ? [] : [imageAnnotation]),
    ...(behaves('specApplied') ? [] : [madeWithAnnotation]),
  ];
  if (unknown.length === 0) return object;
  const { annotations = {}, ...metadata } = object.metadata;
  const known = Object.entries(annotations).filter(([name]) => !unknown.includes(name));
  const left = known.length > 0 ? { annotations: Object.fromEntries(known) } : {};
  return { ...object, metadata: { ...metadata, ...left } };
}

/** Deletes exactly this pod. With `unlisted`, only after members confirm again that it is no member. */
export function deletePod(pod: PodFact, why: string, unlisted?: Membership): Step {
  const args: DeleteObject = { type: 'pod', name: pod.name, uid: pod.uid, ...evidence(pod.name, unlisted) };
  return { step: 'deletePod', why, args };
}

export function deleteClaim(claim: ClaimFact, why: string, unlisted?: Membership): Step {
  const args: DeleteObject = {
    type: 'claim',
    name: claim.name,
    uid: claim.uid,
    ...evidence(claim.name, unlisted),
  };
  return { step: 'deleteClaim', why, args };
}

/** Deletes what has never been put anywhere, unless that or anything else of it has changed meanwhile. */
export function deleteUnused(type: 'pod' | 'claim', fact: PodFact | ClaimFact, why: string): Step {
  const { name, uid, resourceVersion } = fact;
  const args: DeleteObject = { type, name, uid, resourceVersion };
  return { step: type === 'pod' ? 'deletePod' : 'deleteClaim', why: `${type} ${name}: ${why}`, args };
}

const evidence = (name: string, unlisted: Membership | undefined) =>
  unlisted ? { unlisted: { name, endpoints: unlisted.endpoints } } : {};

export function addMember(
  membership: Membership,
  name: string,
  peerUrl: string,
  learner: boolean,
  why: string,
): Step {
  const members = membership.members.map((member) => member.id);
  const args: AddMember = { name, peerUrl, learner, members, endpoints: membership.endpoints };
  return { step: 'addMember', why, args, disruptive: true };
}

export function promoteMember(membership: Membership, member: Member, why: string): Step {
  const args: PromoteMember = { id: member.id, name: member.name, endpoints: membership.endpoints };
  return { step: 'promoteMember', why, args, disruptive: true };
}

/** Takes a member out of etcd, after the others have confirmed again that they keep quorum. */
export function removeMember(membership: Membership, member: Member, why: string): Step {
  const voters = membership.voters
    .filter((other) => other.id !== member.id)
    .map((other) => ({ id: other.id, endpoint: endpointOf(other) ?? null }));
  const args: RemoveMember = {
    id: member.id,
    name: member.name,
    isLearner: member.isLearner,
    others: voters,
  };
  return { step: 'removeMember', why, args, disruptive: true };
}

/** Gives a pod whose process takes no part in any quorum another image, in place, unless it has changed meanwhile. */
export function setImage(pod: PodFact, image: string, version: string, why: string): Step {
  const { name, uid, resourceVersion } = pod;
  const args: SetImage = { name, uid, resourceVersion, image, version };
  return { step: 'setImage', why: `pod ${name}: image ${image}: ${why}`, args };
}

/**
 * Changes the version of a member in place, which restarts its process, after the other voters have confirmed again
 * that they keep quorum meanwhile: all of them where it is well itself, else a majority.
 */
export function restartAs(world: QuorateWorld, member: PodMember, version: string, why: string): Step {
  const { name, uid } = member.pod;
  const change: SetImage = { name, uid, image: memberImage({ ...world.spec, version }), version };
  if (member.isLearner) return { step: 'setImage', why, args: change };
  const { voters } = world.membership;
  const others = voters
    .filter((other) => other.id !== member.id)
    .map((other) => ({ id: other.id, endpoint: endpointOf(other) ?? null }));
  const needed = member.healthy ? others.length : quorumOf(voters.length);
  const args: SetImage = { ...change, voter: { id: member.id, others, needed } };
  return { step: 'setImage', why, args, disruptive: true };
}

export function moveLeader(leader: Member, target: Member, why: string): Step {
  const args: MoveLeader = {
    endpoint: endpointOf(leader) ?? '',
    leaderId: leader.id,
    targetId: target.id,
    targetName: target.name,
  };
  return { step: 'moveLeader', why, args, disruptive: true };
}
