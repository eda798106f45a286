import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { KubeObject } from '../../libs/kube/object.ts';
import { type Stack, startStack } from '../../services/cli/processes/stack.ts';
import { findPrograms } from '../../services/cli/toolchain/find.ts';
import { programsNeeded } from '../../services/cli/toolchain/programs.ts';
import { until } from '../wait.ts';

const run = promisify(execFile);

/** A running Quorate of a test's own, and kubectl to speak to it as a person would. */
export interface Stage {
  stack: Stack;
  /** Runs kubectl and returns what it printed; throws an error with what it said when it fails. */
  kubectl(...args: string[]): Promise<string>;
  /** What kubectl says when it refuses; fails when it does not refuse. */
  refused(manifest: object): Promise<string>;
  apply(manifest: object): Promise<string>;
  /** As `apply`, with another of kubectl's verbs that take a file, e.g. `replace`. */
  feed(verb: string, manifest: object): Promise<string>;
  /** `undefined` where there is none. */
  get(kind: string, name: string): Promise<KubeObject | undefined>;
  list(kind: string, selector?: string): Promise<KubeObject[]>;
  /** Waits until etcd's members of the cluster are exactly as many, all ready, and nothing is left to do. */
  settled(name: string, size: number, limitMs?: number): Promise<KubeObject>;
  /** `host:port` of the cluster's running pods, for clients. */
  endpoints(name: string): string[];
  stop(): Promise<void>;
}

/** Starts all of Quorate in a folder of its own. */
export async function startStage(): Promise<Stage> {
  const { paths, missing } = await findPrograms(programsNeeded({ kube: false, nats: false, redis: false }));
  if (missing.length > 0)
    throw new Error(`missing programs: ${missing.join(', ')}; "npm test" installs them`);
  const dir = await mkdtemp(join(tmpdir(), 'quorate-e2e-'));
  const { KUBECONFIG, NATS_URL, REDIS_URL, ...environment } = process.env;
  const stack = await startStack({ dir, programs: paths, environment });
  const kubectlPath = paths.kubectl ?? 'kubectl';
  const addresses = new Map<string, string[]>();

  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(kubectlPath, ['--kubeconfig', stack.kubeconfigPath, ...args], {
      maxBuffer: 64 * 1024 * 1024,
      timeout: 120_000,
    });
    return stdout;
  };
  const feed = async (verb: string, manifest: object): Promise<string> => {
    const promise = run(kubectlPath, ['--kubeconfig', stack.kubeconfigPath, verb, '-f', '-'], {
      timeout: 60_000,
    });
    promise.child.stdin?.end(stringify(manifest));
    return (await promise).stdout;
  };
  const get = async (kind: string, name: string): Promise<KubeObject | undefined> => {
    const text = await kubectl('get', kind, name, '--ignore-not-found', '-o', 'json');
    return text === '' ? undefined : (JSON.parse(text) as KubeObject);
  };
  const list = async (kind: string, selector?: string): Promise<KubeObject[]> => {
    const text = await kubectl(
      'get',
      kind,
      ...(selector === undefined ? [] : ['-l', selector]),
      '-o',
      'json',
    );
    return (JSON.parse(text) as { items: KubeObject[] }).items;
  };
  const refresh = async (name: string): Promise<KubeObject[]> => {
    const pods = await list('pods', `etcd_cluster=${name}`);
    const ips = pods.flatMap((pod) => (pod['status'] as { podIP?: string } | undefined)?.podIP ?? []);
    if (ips.length > 0)
      addresses.set(
        name,
        ips.map((ip) => `${ip}:2379`),
      );
    return pods;
  };

  await until('the CRD is installed', () =>
    kubectl('wait', '--for=condition=Established', 'crd/etcdclusters.etcd.database.coreos.com').then(
      () => true,
      () => false,
    ),
  );
  return {
    stack,
    kubectl,
    get,
    list,
    feed,
    apply: (manifest) => feed('apply', manifest),
    async refused(manifest) {
      try {
        await feed('apply', manifest);
      } catch (error) {
        return String((error as { stderr?: string }).stderr);
      }
      throw new Error('the API took it, and should have refused it');
    },
    settled: (name, size, limitMs = 60_000) =>
      until(
        `${name} has ${size} ready members and rests`,
        async () => {
          const resource = await get('etcdcluster', name);
          const pods = await refresh(name);
          return resource && pods.length === size && isSettled(resource, size) ? resource : undefined;
        },
        limitMs,
      ),
    endpoints: (name) => addresses.get(name) ?? [],
    async stop() {
      await stack.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface EtcdClusterStatus {
  phase?: string;
  reason?: string;
  size?: number;
  readyMembers?: number;
  observedGeneration?: number;
  members?: { ready?: string[]; unready?: string[] };
  conditions?: { type: string; status: string; reason: string; message: string }[];
  [field: string]: unknown;
}

export const statusOf = (resource: KubeObject | undefined): EtcdClusterStatus =>
  (resource?.['status'] ?? {}) as EtcdClusterStatus;

export const conditionOf = (resource: KubeObject | undefined, type: string) =>
  statusOf(resource).conditions?.find((condition) => condition.type === type);

function isSettled(resource: KubeObject, size: number): boolean {
  const status = statusOf(resource);
  const holds = (type: string) => conditionOf(resource, type)?.status === 'True';
  return (
    status.observedGeneration === resource.metadata.generation &&
    status.phase === 'Running' &&
    status.size === size &&
    status.readyMembers === size &&
    holds('Available') &&
    !holds('Scaling') &&
    !holds('Recovering')
  );
}

/** An EtcdCluster as a user writes it. */
export function etcdCluster(name: string, spec: object): object {
  return { apiVersion: 'etcd.database.coreos.com/v1beta2', kind: 'EtcdCluster', metadata: { name }, spec };
}
