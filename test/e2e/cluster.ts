import assert from 'node:assert/strict';
import { connectEtcd, type EtcdClient, type EtcdMember } from '../../libs/engines/etcd/client/client.ts';
import { parseIdentity } from '../../libs/engines/etcd/identity.ts';
import { memberNumber, nameFromPeerUrls } from '../../libs/engines/etcd/names.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import { until } from '../wait.ts';
import { startWriter, type Writer } from '../writer.ts';
import { canaryEnvironment } from './canary.ts';
import { conditionOf, etcdCluster, type Stage, statusOf } from './stage.ts';
import { isReady, type Watched } from './watched.ts';

/** A cluster that a test does something to, with a client that writes to it all the time. */
export interface TestCluster {
  readonly name: string;
  readonly writer: Writer;
  /** Its pods by name; the newest is the last. */
  pods(): KubeObject[];
  pod(name: string): KubeObject;
  /** The ids of etcd's own members, by the name that their peer URL says; sorted. */
  ids(): Promise<Record<string, string>>;
  /** The same as the first member that answers remembers them, with or without a quorum. */
  remembered(): Promise<Record<string, string>>;
  /** The pods of the leader and of the others. */
  roles(): Promise<{ leader: string; followers: [string, string, ...string[]] }>;
  /** Sends a signal to the member's own process. */
  signal(pod: string, signal: NodeJS.Signals): Promise<void>;
  /** Waits until etcd, Kubernetes and the status agree on exactly so many members, and nothing is left to do. */
  settled(size: number, limitMs?: number): Promise<void>;
  /** Waits for something about it; says what it looked like when that never happens. */
  until(what: string, condition: () => unknown, limitMs?: number): Promise<void>;
  /** Fails when a write that is acknowledged by now is missing, or when a number was used twice. */
  verify(): Promise<void>;
  /** Ends the writing, and verifies. */
  finish(): Promise<void>;
}

export interface TestClusterOptions {
  size?: number;
  claims?: boolean;
  /** How long the writer rests after each write: with many clusters side by side, longer. */
  betweenWritesMs?: number;
}

/** A stage and all that happens on it. */
export interface Seen {
  stage: Stage;
  watched: Watched;
}

/** Whose end is the end of the writer: a test, or whatever else can be told. */
export interface Owner {
  after(end: () => Promise<void>): void;
}

/** The spec of a cluster of the tests. */
export const specOf = ({ size = 3, claims = false }: TestClusterOptions) => ({
  size,
  version: '3.4.23',
  pod: {
    etcdEnv: canaryEnvironment,
    ...(claims && { persistentVolumeClaimSpec: { resources: { requests: { storage: '1Gi' } } } }),
  },
});

/** Applies a cluster, of three unless told, and waits until it is settled. The writer begins at once. */
export async function createCluster(
  seen: Seen,
  owner: Owner,
  name: string,
  options: TestClusterOptions = {},
): Promise<TestCluster> {
  const cluster = adoptCluster(seen, owner, name, options);
  await seen.stage.apply(etcdCluster(name, specOf(options)));
  await cluster.settled(options.size ?? 3);
  return cluster;
}

/** The cluster of that name, which may still be on its way, with a writer that ends with the test. */
export function adoptCluster(
  { stage, watched }: Seen,
  owner: Owner,
  name: string,
  options: TestClusterOptions,
): TestCluster {
  const { claims = false, betweenWritesMs = 20 } = options;
  const pods = () => watched.pods(name);
  const pod = (wanted: string) => {
    const found = pods().find(({ metadata }) => metadata.name === wanted);
    if (!found) throw new Error(`there is no pod ${wanted}: ${namesOf(pods())}`);
    return found;
  };
  const endpoints = () => pods().flatMap((each) => endpointOf(each) ?? []);
  const writer = startWriter({ endpoints, prefix: `${name}/`, betweenWritesMs });
  owner.after(() => writer.stop());

  const settled = async (size: number, limitMs = 150_000) => {
    let obstacle: string | undefined = '';
    const condition = async () => {
      obstacle = await obstacleTo(watched, name, size, claims);
      return obstacle === undefined;
    };
    try {
      await until(`${name} has ${size} members and rests`, condition, limitMs);
    } catch (error) {
      throw new Error(`${name} does not come to rest: ${obstacle}\n${lookOf(watched, name)}`, {
        cause: error,
      });
    }
  };
  // A cluster may come to rest before the writer, which waits after each failure, has its first write.
  const written = () => until(`${name} acknowledges a write`, () => writer.acknowledged() > 0);
  const verify = async () => {
    await written();
    await writer.verify(endpoints());
    checkNumbers(watched, name);
  };
  return {
    name,
    writer,
    pods,
    pod,
    ids: async () => idsOf(await firstAnswer(endpoints, membersOf)),
    remembered: async () => idsOf(await firstAnswer(endpoints, (client) => client.members())),
    async roles() {
      const leaderId = await firstAnswer(endpoints, leaderOf);
      const members = await firstAnswer(endpoints, membersOf);
      const names = members.map((member) => [member.id, nameFromPeerUrls(member.peerUrls)] as const).sort();
      const leader = names.find(([id]) => id === leaderId)?.[1];
      const [first, second, ...more] = names.flatMap(([, each]) => (each === leader ? [] : [each])).sort();
      if (leader === undefined || first === undefined || second === undefined)
        throw new Error(`${name} has no leader and two followers`);
      return { leader, followers: [first, second, ...more] };
    },
    async signal(wanted, signal) {
      // One that has just been started again is not known to the kubelet's status for a moment.
      const isSent = async () => (await stage.node.signal([pod(wanted)], signal)) > 0;
      await until(`${wanted} has a process to send ${signal}`, isSent);
    },
    settled,
    async until(what, condition, limitMs = 150_000) {
      try {
        await until(what, condition, limitMs);
      } catch (error) {
        throw new Error(`${name}: ${what}: never\n${lookOf(watched, name)}`, { cause: error });
      }
    },
    verify,
    async finish() {
      await written();
      await writer.stop();
      await verify();
    },
  };
}

/** What is still in the way of a cluster at rest, or `undefined`. */
async function obstacleTo(
  watched: Watched,
  name: string,
  size: number,
  claims: boolean,
): Promise<string | undefined> {
  const resource = watched.resource(name);
  if (!resource) return 'there is no resource';
  const pods = watched.pods(name);
  const podNames = namesOf(pods);
  if (pods.length !== size || !pods.every(isReady) || pods.some(isGoing)) return `its pods: ${podNames}`;
  const found = namesOf(watched.claims(name));
  if (found !== (claims ? podNames : '') || watched.claims(name).some(isGoing)) return `its claims: ${found}`;
  const services = watched.services(name);
  if (namesOf(services) !== `${name} ${name}-client` || services.some(isGoing)) {
    return `its services: ${namesOf(services)}`;
  }
  const status = statusOf(resource);
  const holds = (type: string) => conditionOf(resource, type)?.status === 'True';
  if (status.observedGeneration !== resource.metadata.generation) return 'its status is of an older spec';
  if (status.phase !== 'Running' || status.size !== size || status.readyMembers !== size) {
    return `its status: ${status.phase}, ${status.readyMembers} of ${status.size} ready`;
  }
  const odd = ['Scaling', 'Recovering', 'Blocked'].filter(holds);
  if (odd.length > 0 || !holds('Available'))
    return `its conditions: ${['not Available?', ...odd].join(', ')}`;
  try {
    for (const pod of pods) {
      const members = await ask(endpointOf(pod) ?? '', membersOf);
      const listed = Object.keys(idsOf(members)).join(' ');
      if (listed !== podNames || members.some(isJoining)) return `its members, says etcd: ${listed}`;
    }
  } catch (error) {
    return String(error);
  }
  return undefined;
}

/** What there is of it and what was decided last, for a person who reads of a failure. */
function lookOf(watched: Watched, name: string): string {
  const pods = watched.pods(name).map((pod) => {
    const { phase, containerStatuses } = pod['status'] as PodStatus;
    const state = JSON.stringify(containerStatuses?.[0]?.state ?? {});
    return `  pod ${pod.metadata.name} ${phase}${isReady(pod) ? ' ready' : ''}${isGoing(pod) ? ' going' : ''} ${state.slice(0, 200)}`;
  });
  const claims = watched
    .claims(name)
    .map((claim) => `  claim ${claim.metadata.name}${isGoing(claim) ? ' going' : ''}`);
  const decisions = watched.decisions(name).slice(-12);
  const passes = decisions.map(({ time, worker, plan, steps, error }) => {
    const done = steps.map(
      ({ step, outcome, detail }) => `${step} ${outcome}${detail ? ` (${detail})` : ''}`,
    );
    return `  ${time} ${worker} ${plan?.reason}: ${plan?.message} [${done.join('; ')}]${error ? ` error: ${error.message}` : ''}`;
  });
  return [...pods, ...claims, ...passes].join('\n');
}

/** A number that was ever used by a member with data was never given to another. */
function checkNumbers(watched: Watched, name: string): void {
  const carriers = watched.carriers(name);
  for (const [member, uids] of carriers) assert.equal(uids.size, 1, `${member} has begun twice`);
  const identity = parseIdentity(watched.resource(name)?.metadata.annotations?.['quorate.io/identity']);
  assert.ok(identity.state === 'recorded' && identity.identity.formed, `${name} has no identity`);
  const given = [...carriers.keys()].map((member) => memberNumber(name, member) ?? 0);
  assert.ok(identity.identity.lastNumber >= Math.max(...given), `${name} would give a number again`);
}

/** What a member answers; the connection is closed in any case. */
async function ask<Answer>(
  endpoint: string,
  question: (client: EtcdClient) => Promise<Answer>,
): Promise<Answer> {
  const client = connectEtcd(endpoint, { timeoutMs: 2000 });
  try {
    return await question(client);
  } finally {
    client.close();
  }
}

/** The first answer that any of them gives; on a busy machine, none may be able to for a while. */
async function firstAnswer<Answer>(
  endpoints: () => string[],
  question: (client: EtcdClient) => Promise<Answer>,
): Promise<Answer> {
  let failure: unknown;
  const answer = async () => {
    try {
      return { value: await Promise.any(endpoints().map((endpoint) => ask(endpoint, question))) };
    } catch (error) {
      failure = error;
      return undefined;
    }
  };
  try {
    return (await until('a member answers', answer, 150_000)).value;
  } catch (error) {
    throw failure ?? error;
  }
}

/** As a quorum agrees on them. */
async function membersOf(client: EtcdClient): Promise<EtcdMember[]> {
  await client.readLinearizable();
  return client.members();
}

/** Who leads, as a member knows that reaches a quorum; while another one is elected, it may know of none. */
async function leaderOf(client: EtcdClient): Promise<string> {
  await client.readLinearizable();
  const { leaderId } = await client.status();
  if (leaderId === '0') throw new Error('it sees no leader');
  return leaderId;
}

const idsOf = (members: EtcdMember[]): Record<string, string> =>
  Object.fromEntries(members.map((member) => [nameFromPeerUrls(member.peerUrls), member.id] as const).sort());

const isJoining = (member: EtcdMember): boolean => member.isLearner || member.clientUrls.length === 0;

interface PodStatus {
  phase?: string;
  podIP?: string;
  containerStatuses?: { containerID?: string; restartCount: number; state?: object }[];
}

const endpointOf = (pod: KubeObject): string | undefined => {
  const { podIP } = (pod['status'] ?? {}) as PodStatus;
  return podIP === undefined ? undefined : `${podIP}:2379`;
};

export const restartsOf = (pod: KubeObject): number =>
  (pod['status'] as PodStatus | undefined)?.containerStatuses?.[0]?.restartCount ?? 0;

/** The container that runs etcd now; another one after each start. */
export const containerOf = (pod: KubeObject): string | undefined =>
  (pod['status'] as PodStatus | undefined)?.containerStatuses?.[0]?.containerID;

export const isGoing = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined;

export const namesOf = (objects: KubeObject[]): string =>
  objects.map(({ metadata }) => metadata.name).join(' ');
