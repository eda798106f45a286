import type { Blocked } from '../../engine/contract.ts';
import { compareMinors, compareVersions, lowestVersion, minorOf, partsOf } from './versions.ts';
import type { Member, Membership } from './view.ts';

/**
 * From 3.6 on etcd takes its membership from another store than before, in which earlier releases of 3.5 leave promoted
 * learners without a vote and removed members in place (etcd blog, 2025: "How to Prevent a Common Failure when Upgrading
 * etcd v3.5 to v3.6", "Avoiding Zombie Cluster Members When Upgrading to etcd v3.6"). This release puts it right.
 */
const preparesFor36 = '3.5.26';

/**
 * Which version a cluster may be brought to. etcd's cluster version is the lowest minor version of all its members,
 * rises by itself when the last member has been upgraded, and never falls; a member that is older than it refuses to
 * start. So within a minor version everything goes, one minor version forward at a time, and back only while a member
 * has not been upgraded (etcd documentation, "Upgrade etcd from 3.4 to 3.5": upgrade checklists, mixed versions,
 * downgrade; https://etcd.io/docs/v3.5/upgrades/upgrade_3_5/).
 */
export function refusalOf(membership: Membership, wanted: string): Blocked | undefined {
  const oldest = lowestVersion(membership.voters.flatMap((voter) => versionsOf(voter)));
  // What the cluster's version may be at most: that of the member which is the oldest, if each is as new as can be.
  const reached = lowestVersion(membership.voters.flatMap((voter) => newestOf(voter) ?? []));
  if (oldest === undefined || reached === undefined) return undefined;
  if (partsOf(wanted).major !== partsOf(oldest).major) return refusal.otherMajor(wanted, oldest);
  if (compareMinors(wanted, reached) < 0) return refusal.back(wanted, reached);
  if (partsOf(wanted).minor > partsOf(oldest).minor + 1) return refusal.skip(wanted, oldest);
  if (compareMinors(wanted, '3.6.0') >= 0 && compareVersions(oldest, preparesFor36) < 0)
    return refusal.unprepared(wanted, oldest);
  return undefined;
}

/**
 * What a member may be: what it says. One that does not answer is what it was last changed to, and one that is about
 * to restart is both.
 */
function versionsOf({ runs, assigned, changing }: Member): string[] {
  if (runs === undefined) return assigned === undefined ? [] : [assigned];
  return changing && assigned !== undefined ? [runs, assigned] : [runs];
}

const newestOf = (member: Member): string | undefined => versionsOf(member).toSorted(compareVersions).at(-1);

const refusal = {
  otherMajor: (wanted: string, present: string): Blocked => ({
    rule: 'a running etcd is only changed within its major version',
    evidence: `members run ${present}, and ${wanted} is another major version`,
    action: `set spec.version to a version of ${partsOf(present).major}`,
  }),
  back: (wanted: string, present: string): Blocked => ({
    rule: 'etcd never goes back across a minor version once all its members have been upgraded',
    evidence: `all members run ${minorOf(present)} or later, and so the cluster itself, and ${wanted} would refuse to start in it`,
    action: `set spec.version to ${present}; for an older one restore a snapshot of then into a new cluster`,
  }),
  unprepared: (wanted: string, present: string): Blocked => ({
    rule: `etcd is upgraded to 3.6 from ${preparesFor36} or later, which puts the stored list of members right`,
    evidence: `members run ${present}, and ${wanted} might take removed members for present ones, or voters for learners`,
    action: `set spec.version to ${preparesFor36} first, or a later 3.5, and go on when that is reached`,
  }),
  skip: (wanted: string, present: string): Blocked => ({
    rule: 'etcd is upgraded one minor version at a time',
    evidence: `members run ${present}, and ${wanted} is more than one minor version ahead`,
    action: `set spec.version to a version of ${partsOf(present).major}.${partsOf(present).minor + 1} first, and go on when that is reached`,
  }),
};
