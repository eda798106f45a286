import type { Blocked } from '../../../engine/contract.ts';
import { isFinished, isKept } from '../facts.ts';
import type { Identity } from '../identity.ts';
import { createClaim, createMember, deletePod, recordIdentity } from '../make.ts';
import { memberName, nameProblem, plainVersion } from '../names.ts';
import { mendServices } from '../standing.ts';
import { isDataGone } from '../view.ts';
import { claimOf, podOf, type Situation } from '../world.ts';
import { deletions, firstTier } from './death.ts';
import { identities, numbersTo } from './identity.ts';
import { unstarted } from './unstarted.ts';

/** How long all seeds are waited for before a quorum of them is enough to call the cluster formed. */
const seedingPatienceMs = 20_000;

const paused: Situation = {
  reason: 'Paused',
  decide: ({ spec }) =>
    spec.paused ? { message: 'spec.paused is true: nothing is touched', requeueAfterMs: 30_000 } : undefined,
};

const badName: Situation = {
  reason: 'InvalidName',
  decide({ cluster }) {
    const problem = nameProblem(cluster.name);
    if (problem === undefined) return undefined;
    return {
      message: problem,
      blocked: {
        rule: 'the name of a cluster becomes the name of its services and hosts, so it must be a DNS label',
        evidence: problem,
        action: 'create the resource again under a name that is a DNS label',
      },
    };
  },
};

/** Objects of an earlier resource of the same name. The API has a newer uid, so that resource is gone for sure. */
const predecessorLeft: Situation = {
  reason: 'PredecessorLeft',
  decide({ facts, resource }) {
    const orphans = firstTier(facts, (object) => object.ownerUid === null);
    if (orphans) {
      const names = orphans.objects.map((object) => `${orphans.type} ${object.name}`).join(', ');
      return {
        message: `objects that belong to no resource carry this cluster's labels: ${names}`,
        blocked: {
          rule: 'what this resource does not own is neither used nor deleted',
          evidence: `${names}: no owner reference to an EtcdCluster`,
          action: 'save what you need of them, delete them or remove their labels, and the cluster goes on',
        },
        requeueAfterMs: 10_000,
      };
    }
    const left = firstTier(facts, (object) => object.ownerUid !== resource.uid);
    if (!left) return undefined;
    return {
      message: `${left.objects.length} ${left.type}(s) of a deleted resource of this name are still going`,
      steps: deletions(left, 'left by a deleted resource of this name'),
      requeueAfterMs: 1000,
    };
  },
};

const notBootstrapped: Situation = {
  reason: 'NotBootstrapped',
  decide(world) {
    if (world.identity) return undefined;
    const { size } = world.spec;
    const version = plainVersion(world.spec.version);
    const seeds = numbersTo(size);
    const identity: Identity = { seeds: size, lastNumber: size, formed: false, version };
    return {
      message: `a new cluster of ${size} member(s) is bootstrapped`,
      steps: [
        recordIdentity(
          world,
          identity,
          `a new cluster of ${size}: recorded before the first member is made, so that it is never bootstrapped twice`,
        ),
        ...mendServices(world, ['headless']),
        ...seeds.flatMap((number) =>
          createMember(world, number, { as: 'seed', seeds }, `seed ${number} of ${size}`),
        ),
      ],
      requeueAfterMs: 250,
    };
  },
};

/**
 * The seeds come up. Nothing is promised to clients yet: their service is made when the cluster has formed. So
 * a seed that is missing is made again, unless etcd says that it has already taken part.
 */
const seeding: Situation = {
  reason: 'Seeding',
  decide(world) {
    const { identity, membership } = world;
    if (!identity || identity.formed) return undefined;
    const seeds = numbersTo(identity.seeds);
    const listed = (number: number) => membership?.members.find((member) => member.number === number);
    const missing = seeds.filter((number) => !podOf(world, number));
    const tookPart = missing.filter((number) => listed(number)?.started && !isKept(claimOf(world, number)));
    const steps = [
      ...mendServices(world, ['headless']),
      ...world.pods
        .filter((pod) => isFinished(pod) && !pod.deleting)
        .map((pod) => deletePod(pod, `pod ${pod.name}: it ended before the cluster had formed`)),
      // A pod whose claim was deleted before it was scheduled waits for one of that name.
      ...seeds
        .filter((number) => podOf(world, number)?.claimName && !claimOf(world, number))
        .flatMap((number) => createClaim(world, number)),
      ...missing
        .filter((number) => !tookPart.includes(number) && !claimOf(world, number)?.deleting)
        .flatMap((number) =>
          createMember(world, number, { as: 'seed', seeds }, `seed ${number} of ${seeds.length} is missing`),
        ),
    ];
    const patient = world.nowMs - world.resource.createdAtMs < seedingPatienceMs;
    const complete =
      membership !== undefined &&
      seeds.every((number) => listed(number)?.healthy || tookPart.includes(number));
    if (membership && steps.length === 0 && (complete || !patient)) {
      return {
        message: `${membership.healthy.length} of ${seeds.length} seeds have formed the cluster`,
        steps: [
          recordIdentity(
            world,
            { ...identity, formed: true },
            'the cluster has formed: its seeds reach quorum, so from now on members are only added to it',
          ),
          ...mendServices(world, ['client']),
        ],
        requeueAfterMs: 100,
      };
    }
    const up = membership?.healthy.length ?? 0;
    const waiting = seeds
      .map((number) => memberName(world.cluster.name, number))
      .filter((name) => {
        const answer = world.facts.members[name];
        return !answer?.quorum.ok;
      });
    const trouble = world.pods.flatMap((pod) => (pod.trouble ? [`${pod.name}: ${pod.trouble}`] : []));
    return {
      message: `${up} of ${seeds.length} seeds reach quorum; waiting for ${waiting.join(', ')}${trouble.length > 0 ? ` (${trouble.join('; ')})` : ''}`,
      steps,
      requeueAfterMs: patient ? 200 : 2000,
      ...(!membership && world.pods.some(isDataGone) && { blocked: seedLostRule(trouble) }),
    };
  },
};

/** Some seeds had agreed on data already, and too few of them still have it. */
const seedLostRule = (trouble: string[]): Blocked => ({
  rule: 'a seed that has taken part in its cluster never begins again without its data',
  evidence: trouble.join('; '),
  action: 'delete the resource and create it again: the cluster had not been handed over to clients yet',
});

/** In order of precedence. All come before anything that is decided about a formed cluster. */
export const birth: Situation[] = [
  paused,
  badName,
  predecessorLeft,
  ...identities,
  notBootstrapped,
  ...unstarted,
  seeding,
];
