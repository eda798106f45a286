import type { EtcdFacts } from './facts.ts';

/** `leader`, `follower` or `learner`, by each answering member's own word. Pure. */
export function roles(facts: EtcdFacts): Record<string, string> {
  const known: Record<string, string> = {};
  for (const [name, { status }] of Object.entries(facts.members)) {
    if (!status.ok) continue;
    const { isLearner, leaderId, memberId } = status.value;
    known[name] = isLearner ? 'learner' : leaderId === memberId ? 'leader' : 'follower';
  }
  return known;
}
