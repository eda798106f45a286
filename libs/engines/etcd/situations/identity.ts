import type { Identity } from '../identity.ts';
import { recordIdentity } from '../make.ts';
import { clientServiceName, memberNumber, plainVersion } from '../names.ts';
import { lowestVersion } from '../versions.ts';
import { highestNumber, type Situation, type World } from '../world.ts';

/** The identity annotation does not say what is: it is torn, gone, or of an earlier time. */

const identityDamaged: Situation = {
  reason: 'IdentityDamaged',
  decide(world) {
    const { identity } = world.resource;
    if (identity.state !== 'damaged' || hasLived(world)) return undefined;
    return {
      message: `the annotation quorate.io/identity cannot be read: ${identity.text.slice(0, 100)}`,
      blocked: {
        rule: 'a cluster is never bootstrapped twice',
        evidence:
          'the identity annotation exists but cannot be read, and nothing else of the cluster is left',
        action:
          'put the annotation back as it was, or delete the resource and create it again for an empty cluster',
      },
    };
  },
};

/** Services and the budget are made after the identity is recorded, so one of them is as good a witness as a member. */
const hasLived = (world: World): boolean =>
  world.services.length > 0 ||
  world.budgets.length > 0 ||
  [...world.pods, ...world.claims].some((fact) => memberNumber(world.cluster.name, fact.name) !== undefined);

/** The annotation was removed, but something of the cluster exists: so it may have formed. */
const identityLost: Situation = {
  reason: 'IdentityLost',
  decide(world) {
    if (world.identity || !hasLived(world)) return undefined;
    // In an upgrade the newer one may never have run, and the oldest is still what the cluster is.
    const versions = world.pods.map((pod) => pod.version).filter((found) => found !== '');
    const version = lowestVersion(versions) ?? plainVersion(world.spec.version);
    const identity: Identity = { seeds: 0, lastNumber: highestNumber(world), formed: true, version };
    return {
      message: 'the identity annotation was removed; parts of the cluster exist, so it is written again',
      steps: [
        recordIdentity(
          world,
          identity,
          'the identity, put back: the annotation was removed, and parts of this cluster exist',
        ),
      ],
      requeueAfterMs: 100,
    };
  },
};

/**
 * The annotation is that of a cluster which has not formed, as in a file that was saved while it was made and applied
 * again later. The seeds that are missing by its account would form a second cluster under the same service.
 */
const identityOutdated: Situation = {
  reason: 'IdentityOutdated',
  decide(world) {
    const { identity } = world;
    const evidence =
      identity && !identity.formed && world.behaves('formedForGood') && hasFormed(world, identity);
    if (!evidence) return undefined;
    const why = `the identity says that the cluster has not formed, but it has: ${evidence}`;
    const corrected = { ...identity, lastNumber: highestNumber(world), formed: true };
    return { message: why, steps: [recordIdentity(world, corrected, why)], requeueAfterMs: 100 };
  },
};

/** What shows that the cluster has formed; `undefined` where nothing does. */
function hasFormed(world: World, { seeds }: Identity): string | undefined {
  const client = clientServiceName(world.cluster.name);
  // Both are made after it was recorded that it has formed.
  if (world.services.some(({ name }) => name === client)) return `service ${client} exists`;
  const budget = world.budgets[0];
  if (budget) return `disruption budget ${budget.name} exists`;
  const numbers = world.membership?.members.map(({ number }) => number ?? 0).sort((a, b) => a - b);
  const isOther = numbers && numbers.join() !== numbersTo(seeds).join();
  return isOther ? `its members are not the ${seeds} that it was seeded with` : undefined;
}

/** The numbers of so many seeds. */
export const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** In order of precedence. */
export const identities: Situation[] = [identityDamaged, identityLost, identityOutdated];
