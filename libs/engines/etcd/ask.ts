import type { Answer } from '../../engine/contract.ts';
import { messageOf } from '../../errors/catalogue.ts';
import { connectEtcd } from './client/client.ts';
import type { MemberFact } from './facts.ts';

/** How long one member may take to answer, in milliseconds; a frozen one costs a pass this much. */
const answerTimeoutMs = 1500;

/** What the member at `host:port` says, as a fact. Rejects only where `signal` was aborted before. */
export async function askMember(endpoint: string, signal: AbortSignal): Promise<MemberFact> {
  const client = connectEtcd(endpoint, { timeoutMs: answerTimeoutMs, signal });
  try {
    const status = await answer(async () => {
      const { memberId, clusterId, leaderId, version, isLearner, errors } = await client.status();
      return { memberId, clusterId, leaderId, version, isLearner, errors };
    });
    if (!status.ok) return { status, quorum: status, members: status };
    const quorum = await answer(async () => {
      await client.readLinearizable();
      return true as const;
    });
    // After the read, so that the list is at least as new as what a quorum had agreed on by then.
    const members = await answer(async () => (await client.members()).sort((a, b) => (a.id < b.id ? -1 : 1)));
    return { status, quorum, members };
  } finally {
    client.close();
  }
}

export async function answer<Value>(ask: () => Promise<Value>): Promise<Answer<Value>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  }
}
