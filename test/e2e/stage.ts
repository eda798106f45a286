import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { after } from 'node:test';
import type { KubeObject } from '../../libs/kube/object.ts';
import { until } from '../wait.ts';
import { type Bench, readBench } from './bench/bench.ts';
import { type Needs, type Place, startPlace } from './bench/start.ts';
import { checkCanary } from './canary.ts';
import { isReady, type Watched, watch } from './watched.ts';

/** A running Quorate and a namespace of a test file's own, and kubectl to speak to it as a person would. */
export interface Stage extends Omit<Place, 'kubectl' | 'end'> {
  readonly bench: Bench;
  /** The namespace is the one that kubectl takes where it is told none. */
  readonly kubeconfigPath: string;
  /** Runs kubectl and returns what it printed; throws an error with what it said (`stderr`) when it fails. */
  kubectl(...args: string[]): Promise<string>;
  /** What kubectl says when it refuses; fails when it does not refuse. */
  refused(manifest: object): Promise<string>;
  apply(manifest: object): Promise<string>;
  /** As `apply`, with another of kubectl's verbs that take a file, e.g. `replace`. */
  feed(verb: string, manifest: object, ...args: string[]): Promise<string>;
  /** `undefined` where there is none. */
  get(kind: string, name: string): Promise<KubeObject | undefined>;
  list(kind: string, selector?: string): Promise<KubeObject[]>;
  /** Waits until etcd's members of the cluster are exactly as many, all ready, and nothing is left to do. */
  settled(name: string, size: number, limitMs?: number): Promise<KubeObject>;
  /** `host:port` of the cluster's running pods, for clients. */
  endpoints(name: string): string[];
  stop(): Promise<void>;
}

/**
 * Starts a stage for the tests of this file, and a watch of all that happens on it; both end after the last test.
 * What it runs on is said by the environment (`readBench`).
 */
export async function openStage(needs: Needs = {}): Promise<{ stage: Stage; watched: Watched }> {
  const stage = await startStage(needs);
  const watched = watch(stage);
  after(async () => {
    await watched.stop();
    try {
      await checkCanary(stage);
    } finally {
      await stage.stop();
    }
  });
  return { stage, watched };
}

async function startStage(needs: Needs): Promise<Stage> {
  const bench = readBench();
  const file = basename(process.argv[1] ?? 'test').replace(/\.test\.ts$/, '');
  const place = await startPlace(bench, `e2e-${file}-${randomBytes(2).toString('hex')}`, needs);
  try {
    await untilServed(place);
  } catch (error) {
    await place.end();
    throw error;
  }
  return stageAt(place, bench);
}

/** Waits until the API knows the kind of the clusters. */
export const untilServed = ({ kubectl }: Pick<Place, 'kubectl'>) =>
  until('the CRD is installed', () =>
    kubectl.run('wait', '--for=condition=Established', 'crd/etcdclusters.etcd.database.coreos.com').then(
      () => true,
      () => false,
    ),
  );

/** The stage on a place that Quorate already runs for. */
export function stageAt(place: Place, bench: Bench): Stage {
  const { kubectl, end, ...rest } = place;
  const addresses = new Map<string, string[]>();

  const list = (kind: string, selector?: string) =>
    kubectl.list(kind, ...(selector === undefined ? [] : ['-l', selector]));
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
  return {
    ...rest,
    bench,
    kubeconfigPath: kubectl.kubeconfigPath,
    kubectl: kubectl.run,
    feed: kubectl.feed,
    apply: (manifest) => kubectl.feed('apply', manifest),
    get: kubectl.get,
    list,
    async refused(manifest) {
      try {
        await kubectl.feed('apply', manifest);
      } catch (error) {
        return String((error as { stderr?: string }).stderr);
      }
      throw new Error('the API took it, and should have refused it');
    },
    settled: (name, size, limitMs = 150_000) =>
      until(
        `${name} has ${size} ready members and rests`,
        async () => {
          const resource = await kubectl.get('etcdcluster', name);
          const pods = await refresh(name);
          // etcd answers Quorate before a kubelet tells of the container that it runs in.
          const isWhole = pods.length === size && pods.every(isReady);
          return resource && isWhole && isSettled(resource, size) ? resource : undefined;
        },
        limitMs,
      ),
    endpoints: (name) => addresses.get(name) ?? [],
    stop: end,
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
