import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEtcd, type EtcdMember } from '../libs/engines/etcd/client/client.ts';
import { messageOf } from '../libs/errors/catalogue.ts';
import { endChild, hasEnded } from './child.ts';

/** One real etcd process of a test; its address and its data outlive the process. */
export interface EtcdProcess {
  readonly name: string;
  /** `host:port` for clients. */
  readonly endpoint: string;
  readonly peerUrl: string;
  /** The process, e.g. to freeze it with SIGSTOP; it changes with every restart. */
  readonly pid: number;
  /** Ends it in order; its data stays. */
  stop(): Promise<void>;
  /** Ends it as a power cut would; its data stays. */
  kill9(): Promise<void>;
  /**
   * Starts it again with its data (ending it first where it still runs) and waits until it sees a leader. etcd
   * answers nothing before that: where quorum needs several, restart them together.
   */
  restart(): Promise<void>;
}

export interface EtcdProcesses {
  /** All members ever started, in the order of their start. */
  readonly members: EtcdProcess[];
  /** The endpoints of all of them, whether they run or not. */
  endpoints(): string[];
  /**
   * Starts one more member. `register` gets its peer URL, adds it to the cluster and answers the members that
   * etcd then lists.
   */
  join(register: (peerUrl: string) => Promise<EtcdMember[]>): Promise<EtcdProcess>;
  /** Ends all processes and removes their data. */
  stop(): Promise<void>;
}

interface Identity {
  name: string;
  host: string;
  peerUrl: string;
}

const clientPort = 2379;
const peerPort = 2380;

/**
 * Starts an etcd cluster of `count` members on loopback and waits until each sees the leader. Every member has
 * an address of its own in 127.0.0.0/8, so that its ports stay free for it while it is down. Members keep
 * their data under `dir` (a fresh directory when absent); `arguments` are further flags of etcd.
 */
export async function startEtcdProcesses(options: {
  count: number;
  dir?: string;
  arguments?: string[];
}): Promise<EtcdProcesses> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'quorate-etcd-')));
  const identities: Identity[] = [];
  const members: EtcdProcess[] = [];

  const newIdentity = (): Identity => {
    const host = `127.${randomInt(200, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    const identity = { name: `m${identities.length + 1}`, host, peerUrl: `http://${host}:${peerPort}` };
    identities.push(identity);
    return identity;
  };
  const start = async (identity: Identity, initialCluster: string, state: 'new' | 'existing') => {
    const flags = [...flagsOf(identity, dir, initialCluster, state), ...(options.arguments ?? [])];
    const member = createProcess(identity, flags);
    members.push(member);
    await member.restart();
    return member;
  };
  const processes: EtcdProcesses = {
    members,
    endpoints: () => members.map((member) => member.endpoint),
    async join(register) {
      const identity = newIdentity();
      const listed = await register(identity.peerUrl);
      // etcd refuses to start unless this names exactly the listed members, the newcomer among them.
      const nameOf = (url: string) => identities.find((known) => known.peerUrl === url)?.name;
      const urls = listed.flatMap((member) => member.peerUrls);
      return start(identity, urls.map((url) => `${nameOf(url)}=${url}`).join(','), 'existing');
    },
    async stop() {
      await Promise.all(members.map((member) => member.kill9()));
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };

  const first = Array.from({ length: options.count }, newIdentity);
  const initialCluster = first.map((identity) => `${identity.name}=${identity.peerUrl}`).join(',');
  try {
    await Promise.all(first.map((identity) => start(identity, initialCluster, 'new')));
  } catch (error) {
    await processes.stop();
    throw error;
  }
  members.sort((a, b) => (a.name < b.name ? -1 : 1));
  return processes;
}

function flagsOf({ name, host, peerUrl }: Identity, dir: string, initialCluster: string, state: string) {
  const clientUrl = `http://${host}:${clientPort}`;
  return [
    ...['--name', name, '--data-dir', join(dir, name)],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', initialCluster, '--initial-cluster-state', state],
  ];
}

function createProcess({ name, host, peerUrl }: Identity, flags: string[]): EtcdProcess {
  const endpoint = `${host}:${clientPort}`;
  let child: ChildProcess | undefined;
  return {
    name,
    endpoint,
    peerUrl,
    get pid() {
      return child?.pid ?? 0;
    },
    stop: () => endChild(child, 'SIGTERM'),
    kill9: () => endChild(child, 'SIGKILL'),
    async restart() {
      await endChild(child, 'SIGTERM');
      child = spawnEtcd(flags);
      await waitUntilReady(child, endpoint);
    },
  };
}

function spawnEtcd(flags: string[]): ChildProcess {
  const etcd = process.env['ETCD'] ?? 'etcd';
  const setpriv = '/usr/bin/setpriv';
  // So that a killed test leaves no etcd behind.
  const command = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', '--', etcd] : [etcd];
  return spawn(command[0] ?? etcd, [...command.slice(1), ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Waits until the member serves and sees a leader; at most 20 s. */
async function waitUntilReady(child: ChildProcess, endpoint: string): Promise<void> {
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  });
  let failure = 'no answer';
  child.on('error', (error) => {
    failure = error.message;
  });
  const client = connectEtcd(endpoint, { timeoutMs: 1000 });
  try {
    for (const deadlineMs = Date.now() + 20_000; Date.now() < deadlineMs && !hasEnded(child); ) {
      try {
        if ((await client.status()).leaderId !== '0') return;
        failure = 'no leader';
      } catch (error) {
        failure = messageOf(error);
      }
      await sleep(20);
    }
  } finally {
    client.close();
  }
  await endChild(child, 'SIGKILL');
  throw new Error(`etcd did not start on ${endpoint}: ${failure}\n${output}`);
}
