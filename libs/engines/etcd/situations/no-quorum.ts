import type { Step } from '../../../engine/contract.ts';
import { type ClaimFact, isFinished, isKept } from '../facts.ts';
import { createMember, deletePod, recordNumber, setImage } from '../make.ts';
import { memberImage } from '../member-pod.ts';
import { memberNumber } from '../names.ts';
import { isSameVersion } from '../versions.ts';
import { type Member, membersDisagree, quorumOf, rememberedMembers } from '../view.ts';
import { podOf, type Situation, type World } from '../world.ts';

/**
 * The cluster was formed and no member reaches quorum. Nothing is taken away then; only members whose data is
 * kept are started again.
 */

/**
 * Pods for the claims that have none: starting a member with its own data can only help. A pod that has ended
 * for good makes room first.
 */
function returning(world: World, remembered: Member[] | undefined): Step[] {
  const finished = world.pods
    .filter((pod) => isFinished(pod) && !pod.deleting && isKept(claimNamed(world, pod.claimName)))
    .map((pod) => deletePod(pod, `pod ${pod.name}: it has ended for good; its claim keeps its data`));
  const pods = world.claims
    .filter((claim) => isKept(claim) && (remembered?.some((member) => member.name === claim.name) ?? true))
    .map((claim) => memberNumber(world.cluster.name, claim.name))
    .filter((number) => number !== undefined)
    .filter((number) => !podOf(world, number))
    .sort((a, b) => a - b)
    .flatMap((number) =>
      createMember(world, number, { as: 'returning' }, 'its claim keeps its data, so it returns'),
    );
  return [...finished, ...unstartable(world), ...pods];
}

/** Processes that do not run with a version other than the recorded one, which is known to run: started with that. */
const unstartable = (world: World): Step[] =>
  world.pods
    .filter((pod) => pod.trouble !== null && !pod.deleting && !isFinished(pod))
    .filter(
      ({ name, version }) => !world.facts.members[name]?.status.ok && isOther(version, world.spec.version),
    )
    .map((pod) => {
      const why = `it does not run with ${pod.version}, so it returns with ${world.spec.version} (${pod.trouble})`;
      return setImage(pod, memberImage(world.spec), world.spec.version, why);
    });

const isOther = (version: string, recorded: string): boolean =>
  version !== '' && !isSameVersion(version, recorded);

const claimNamed = (world: World, name: string | null): ClaimFact | undefined =>
  world.claims.find((claim) => claim.name === name);

/**
 * Where etcd has no learners, the second member of two votes before it has started, and a pass that ended there
 * left no quorum. It may be started empty: nothing was ever agreed on without the first member, who answers.
 */
function second(world: World, remembered: Member[] | undefined): Step[] {
  const [newcomer, first, ...more] = [...(remembered ?? [])].sort(
    (a, b) => Number(a.started) - Number(b.started),
  );
  if (!newcomer || !first?.answering || more.length > 0) return [];
  const { started, pod, claim, number } = newcomer;
  if (started || pod || claim?.deleting || number === undefined) return [];
  const memberUrls = { [first.name]: first.peerUrl, [newcomer.name]: newcomer.peerUrl };
  const why = 'it was added to the cluster and has not started';
  return [...recordNumber(world, number), ...createMember(world, number, { as: 'joining', memberUrls }, why)];
}

const disagreeing: Situation = {
  reason: 'MembersDisagree',
  decide({ facts, cluster }) {
    if (!membersDisagree(facts, cluster.uid)) return undefined;
    return { message: 'members that each reach a quorum list different members', requeueAfterMs: 500 };
  },
};

const electing: Situation = {
  reason: 'Electing',
  decide(world) {
    if (world.membership) return undefined;
    const voters = rememberedMembers(world.facts, world.cluster.uid)?.filter((member) => !member.isLearner);
    if (!voters) return undefined;
    const answering = voters.filter((voter) => voter.answering).length;
    if (answering < quorumOf(voters.length)) return undefined;
    return {
      message: `${answering} of ${voters.length} voting members answer and are electing a leader`,
      requeueAfterMs: 300,
    };
  },
};

const quorumLost: Situation = {
  reason: 'QuorumLost',
  decide(world) {
    if (world.membership) return undefined;
    const remembered = rememberedMembers(world.facts, world.cluster.uid);
    const voters = remembered?.filter((member) => !member.isLearner);
    const joining = second(world, remembered);
    const steps = joining.length > 0 ? joining : returning(world, remembered);
    const evidence = describeLoss(world, voters);
    const needed = voters ? `${quorumOf(voters.length)} of ${voters.length}` : 'a majority';
    return {
      message: `no member reaches quorum: ${evidence}`,
      steps,
      requeueAfterMs: steps.length > 0 ? 300 : 1500,
      blocked: {
        rule: `members are only changed while a majority of them agrees (${needed} must answer)`,
        evidence,
        action:
          'bring the missing members back (their nodes, volumes, network) and the cluster heals by itself; if their data is gone for good, save what is left with etcdctl snapshot save and restore it into a new cluster',
      },
    };
  },
};

/** What each member's state is, as far as it can be told. */
function describeLoss(world: World, voters: Member[] | undefined): string {
  const names = voters?.map((voter) => voter.name) ?? [
    ...new Set([...world.pods.map((pod) => pod.name), ...world.claims.map((claim) => claim.name)]),
  ];
  if (names.length === 0) return 'every pod and every claim of its members is gone';
  return names
    .sort()
    .map((name) => {
      const pod = world.pods.find((candidate) => candidate.name === name);
      const claim = world.claims.find((candidate) => candidate.name === name);
      if (!pod) return `${name} has no pod${isKept(claim) ? ', its claim keeps its data' : ' and no claim'}`;
      if (world.facts.members[name]?.status.ok) return `${name} answers, without quorum`;
      return `${name} does not answer${pod.trouble ? ` (${pod.trouble})` : ''}`;
    })
    .join('; ');
}

export const noQuorum: Situation[] = [disagreeing, electing, quorumLost];
