import type { Look } from '../../engine/contract.ts';
import { askMember } from './ask.ts';
import type { EtcdFacts } from './facts.ts';
import { clientPort } from './names.ts';

/**
 * Whether all members of a cluster at rest answer as they did: themselves, their leader, alarms, membership and quorum.
 * Of what a pass observes, only nodes are neither watched nor asked, and those matter only where a pod is not ready.
 */
export const look: Look<EtcdFacts> = {
  answers({ pods, claims, services, budgets, members }) {
    // What could not be read may have changed by then, and its event has had its pass.
    if (![claims, services, budgets].every(({ ok }) => ok)) return undefined;
    if (!pods.ok || pods.value.length === 0) return undefined;
    const answers = pods.value.flatMap(({ name, ip, ready, deleting }) => {
      const answer = members[name];
      const isWell = answer?.status.ok && answer.quorum.ok && answer.members.ok;
      if (!isWell || ip === null || !ready || deleting) return [];
      return [[name, { address: `${ip}:${clientPort}`, answer }] as const];
    });
    return answers.length === pods.value.length ? Object.fromEntries(answers) : undefined;
  },
  ask: askMember,
};
