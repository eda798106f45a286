import type { Step } from '../../../engine/contract.ts';
import { type ClaimFact, isFinished, type PodFact } from '../facts.ts';
import { claimMadeFor, podMadeFor } from '../made-for.ts';
import { deleteUnused, recordIdentity, setImage } from '../make.ts';
import { memberImage } from '../member-pod.ts';
import { plainVersion } from '../names.ts';
import { lowestVersion } from '../versions.ts';
import type { Situation, World } from '../world.ts';

/**
 * Pods that could not begin, and a spec that was corrected since they were made. What has never run has no data and
 * was no part of any quorum, so nothing is lost where it is changed or made again. Nor is it where a member waits for an
 * image that cannot be pulled, and is given another one.
 */

/**
 * The version is recorded when the seeds are made, and stays correctable as long as none of them has run. Where one
 * began with the version of before just when another was recorded, it is that of before: seeds are all of one version.
 */
const versionCorrected: Situation = {
  reason: 'VersionCorrected',
  decide(world) {
    const { identity, membership, pods } = world;
    if (!identity || identity.formed || membership || pods.length === 0) return undefined;
    const ran = pods.filter((pod) => pod.hasRun).map((pod) => pod.version);
    if (ran.includes(identity.version)) return undefined;
    const began = lowestVersion(ran);
    const version = began ?? plainVersion(world.wantedVersion);
    if (identity.version === version) return undefined;
    const reason = began === undefined ? 'no seed has run yet' : 'a seed has run with it already';
    const why = `version ${version} instead of ${identity.version}: ${reason}`;
    return {
      message: why,
      steps: [recordIdentity(world, { ...identity, version }, why)],
      requeueAfterMs: 100,
    };
  },
};

/** An image that cannot be pulled, or not yet, and another one is asked for. */
const imageCorrected: Situation = {
  reason: 'ImageCorrected',
  decide(world) {
    // One that has run was changed in an upgrade, and keeps the version that it is to run.
    const versionOf = (pod: PodFact) => (pod.hasRun && pod.version) || plainVersion(world.spec.version);
    const imageOf = (pod: PodFact) => memberImage({ ...world.spec, version: versionOf(pod) });
    const pods = world.pods.filter(
      (pod) => hasNoImage(pod) && !pod.deleting && !isFinished(pod) && pod.image !== imageOf(pod),
    );
    if (pods.length === 0) return undefined;
    const why = 'no container has run with the one before';
    return {
      message: `${namesOf(pods)}: given another image, because ${why}`,
      steps: pods.map((pod) => setImage(pod, imageOf(pod), versionOf(pod), why)),
      requeueAfterMs: 500,
    };
  },
};

/** Nodes, resources or claims were asked for that nobody could give, and others are asked for now. */
const specCorrected: Situation = {
  reason: 'SpecCorrected',
  decide(world) {
    const claims = world.claims.filter((claim) => isOutdatedClaim(world, claim));
    const pods = world.pods.filter(
      (pod) =>
        isUnscheduled(pod) && (isOutdated(world, pod) || claims.some(({ name }) => name === pod.claimName)),
    );
    const steps: Step[] = [
      ...pods.map((pod) => deleteUnused('pod', pod, 'never scheduled, and made again for the spec of now')),
      ...claims.map((claim) =>
        deleteUnused('claim', claim, 'never bound, and made again for the spec of now'),
      ),
    ];
    if (steps.length === 0) return undefined;
    return {
      message: `${namesOf([...pods, ...claims])}: never put anywhere, and made again for the spec of now`,
      steps,
      requeueAfterMs: 300,
    };
  },
};

const hasNoImage = ({ hasRun, hindrance }: PodFact): boolean => !hasRun || hindrance?.reason === 'ImagePull';

const isUnscheduled = (pod: PodFact): boolean => pod.nodeName === null && !pod.deleting && !isFinished(pod);

const isOutdated = ({ spec }: World, { madeFor }: PodFact): boolean =>
  madeFor !== null && madeFor !== podMadeFor(spec);

function isOutdatedClaim({ spec, pods }: World, claim: ClaimFact): boolean {
  const { name, phase, deleting, madeFor } = claim;
  if (phase !== 'Pending' || deleting || madeFor === null || madeFor === claimMadeFor(spec)) return false;
  return pods.every((pod) => pod.claimName !== name || isUnscheduled(pod));
}

const namesOf = (facts: { name: string }[]): string => [...new Set(facts.map(({ name }) => name))].join(', ');

export const unstarted: Situation[] = [versionCorrected, imageCorrected, specCorrected];
