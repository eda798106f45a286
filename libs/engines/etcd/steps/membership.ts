import type { ActContext, StepOutcome } from '../../../engine/contract.ts';
import { isError } from '../../../errors/catalogue.ts';
import { connectEtcd, type EtcdClient, type EtcdMember } from '../client/client.ts';
import { quorumOf } from '../view.ts';

/** Steps on etcd's own membership. Each looks again, through a member that reaches quorum, before it acts. */

export interface AddMember {
  name: string;
  peerUrl: string;
  learner: boolean;
  /** Ids of the members it was decided for; the newcomer's pod is told that it joins just these. */
  members: string[];
  /** `host:port` of members to ask, in order. */
  endpoints: string[];
}

export interface PromoteMember {
  id: string;
  name: string;
  endpoints: string[];
}

export interface RemoveMember {
  id: string;
  name: string;
  isLearner: boolean;
  /** The other voters, and where they listen. */
  others: { id: string; endpoint: string | null }[];
}

export interface MoveLeader {
  /** Where the present leader listens. */
  endpoint: string;
  leaderId: string;
  targetId: string;
  targetName: string;
}

const timeoutMs = 5000;

/**
 * Runs `ask` with the first member that proves that it reaches quorum; `undefined` when none does. Errors of
 * `ask` itself are thrown: another member must not be asked to do the same again.
 */
export async function firstQuorate<Result>(
  endpoints: string[],
  signal: AbortSignal,
  ask: (client: EtcdClient) => Promise<Result>,
): Promise<Result | undefined> {
  for (const endpoint of endpoints) {
    const client = connectEtcd(endpoint, { timeoutMs, signal });
    try {
      if (await reachesQuorum(client)) return await ask(client);
    } finally {
      client.close();
    }
  }
  signal.throwIfAborted();
  return undefined;
}

/** A member that does not answer just does not count, whatever the reason. */
const reachesQuorum = (client: EtcdClient): Promise<boolean> =>
  client.readLinearizable().then(
    () => true,
    () => false,
  );

const noQuorum: StepOutcome = { outcome: 'moved', detail: 'no member reaches quorum any more' };

export async function addMember(args: AddMember, context: ActContext): Promise<StepOutcome> {
  const outcome = await firstQuorate(args.endpoints, context.signal, async (client): Promise<StepOutcome> => {
    const members = await client.members();
    if (members.some((member) => member.peerUrls.includes(args.peerUrl))) {
      return { outcome: 'nothing', detail: 'etcd lists it already' };
    }
    if (idsOf(members) !== args.members.toSorted().join()) {
      return { outcome: 'moved', detail: 'the members are others than were seen' };
    }
    const other = members.find(isJoining);
    if (other) return { outcome: 'moved', detail: `member ${other.id} is joining at the same time` };
    try {
      const { member } = await client.addMember([args.peerUrl], { learner: args.learner });
      return { outcome: 'done', detail: `member id ${member.id}` };
    } catch (error) {
      // etcd wants every voter connected for five seconds before it lets another one in.
      if (isError(error, 'ETCD_UNHEALTHY_CLUSTER'))
        return { outcome: 'moved', detail: 'etcd does not let a member in yet' };
      throw error;
    }
  });
  return outcome ?? noQuorum;
}

export const idsOf = (members: { id: string }[]): string =>
  members
    .map((member) => member.id)
    .sort()
    .join();

const isJoining = (member: EtcdMember): boolean => member.isLearner || member.clientUrls.length === 0;

export async function promoteMember(args: PromoteMember, context: ActContext): Promise<StepOutcome> {
  const outcome = await firstQuorate(args.endpoints, context.signal, async (client): Promise<StepOutcome> => {
    const member = (await client.members()).find((listed) => listed.id === args.id);
    if (!member) return { outcome: 'moved', detail: 'etcd lists it no more' };
    if (!member.isLearner) return { outcome: 'nothing', detail: 'it votes already' };
    try {
      await client.promoteMember(args.id);
      return { outcome: 'done' };
    } catch (error) {
      if (isError(error, 'ETCD_LEARNER_NOT_READY'))
        return { outcome: 'nothing', detail: 'it has not caught up yet' };
      throw error;
    }
  });
  return outcome ?? noQuorum;
}

export async function removeMember(args: RemoveMember, context: ActContext): Promise<StepOutcome> {
  const endpoints = args.others.flatMap((other) => other.endpoint ?? []);
  const able = await quorateOf(endpoints, context.signal);
  if (!args.isLearner && able.length < quorumOf(args.others.length)) {
    return {
      outcome: 'moved',
      detail: `only ${able.length} of the other ${args.others.length} members reach quorum`,
    };
  }
  const outcome = await firstQuorate(able, context.signal, async (client): Promise<StepOutcome> => {
    const members = await client.members();
    if (!members.some((member) => member.id === args.id))
      return { outcome: 'nothing', detail: 'etcd lists it no more' };
    const voters = members.filter((member) => !member.isLearner && member.id !== args.id);
    if (idsOf(voters) !== idsOf(args.others)) {
      return { outcome: 'moved', detail: 'the voting members are others than were seen' };
    }
    const { leaderId } = await client.status();
    if (leaderId === args.id) return { outcome: 'moved', detail: 'it leads by now' };
    try {
      await client.removeMember(args.id);
      return { outcome: 'done', detail: `member id ${args.id}` };
    } catch (error) {
      // As with adding: the members that stay must have been connected for five seconds.
      if (isError(error, 'ETCD_UNHEALTHY_CLUSTER'))
        return { outcome: 'moved', detail: 'etcd does not let a member go yet' };
      throw error;
    }
  });
  return outcome ?? noQuorum;
}

/** The endpoints that reach quorum, in their order, asked side by side. */
export async function quorateOf(endpoints: string[], signal: AbortSignal): Promise<string[]> {
  const answers = await Promise.all(
    endpoints.map(async (endpoint) => {
      const client = connectEtcd(endpoint, { timeoutMs: 2000, signal });
      try {
        return await reachesQuorum(client);
      } finally {
        client.close();
      }
    }),
  );
  signal.throwIfAborted();
  return endpoints.filter((_, index) => answers[index]);
}

export async function moveLeader(args: MoveLeader, context: ActContext): Promise<StepOutcome> {
  const client = connectEtcd(args.endpoint, { timeoutMs, signal: context.signal });
  try {
    const status = await client.status();
    if (status.memberId !== args.leaderId || status.leaderId !== args.leaderId) {
      return { outcome: 'moved', detail: 'another member leads by now' };
    }
    await client.moveLeader(args.targetId);
    return { outcome: 'done', detail: `${args.targetName} leads` };
  } finally {
    client.close();
  }
}
