import type { Decision } from '../../libs/engine/decision.ts';
import { etcdResourceType } from '../../libs/engines/etcd/resource.ts';
import { connectKube } from '../../libs/kube/client.ts';
import { parseKey } from '../../libs/kube/key.ts';
import { type KubeObject, labels, type ResourceType, resourceTypes } from '../../libs/kube/object.ts';
import { watchObjects } from '../../libs/kube/watch.ts';
import { followDecisions } from '../../services/cli/follow/decisions.ts';
import { createTestLog } from '../log.ts';
import type { Stage } from './stage.ts';

/**
 * All that exists and was decided on a stage, kept up to date by watches of the test's own: many tests can wait
 * side by side without asking the API again and again, and nothing that was there for a moment only is missed.
 */
export interface Watched {
  resource(cluster: string): KubeObject | undefined;
  /** Those of the cluster, sorted by name. */
  pods(cluster: string): KubeObject[];
  claims(cluster: string): KubeObject[];
  services(cluster: string): KubeObject[];
  /** Every pod and claim there ever was of the cluster, by uid, as it was last seen. */
  past(cluster: string): KubeObject[];
  /**
   * What kept the data of each member that ever was ready: the uids of its claims, or of its pods where it has no
   * claim. A member with two has begun again under a name that was spent.
   */
  carriers(cluster: string): Map<string, Set<string>>;
  /** The records of its passes, in their order. */
  decisions(cluster: string): Decision[];
  stop(): Promise<void>;
}

const kinds = {
  resource: etcdResourceType,
  pod: resourceTypes.pod,
  claim: resourceTypes.claim,
  service: resourceTypes.service,
};

export function watch({ kubeconfigPath, namespace, operator: { natsUrl } }: Stage): Watched {
  const log = createTestLog();
  const stop = new AbortController();
  const { signal } = stop;
  const kube = connectKube({ id: 'local', kubeconfigPath });
  const present = new Map<string, KubeObject>();
  const past = new Map<string, KubeObject>();
  const carriers = new Map<string, Map<string, Set<string>>>();
  const decisions = new Map<string, Decision[]>();

  const see = (object: KubeObject) => {
    const { uid = '', name } = object.metadata;
    present.set(uid, object);
    if (object.kind === 'Pod' || object.kind === 'PersistentVolumeClaim') past.set(uid, object);
    if (!isReady(object)) return;
    const claim = claimOf(object);
    const carrier = claim === undefined ? object : find(resourceTypes.claim, clusterOf(object), claim);
    const ofCluster = entry(carriers, clusterOf(object), () => new Map<string, Set<string>>());
    if (carrier) entry(ofCluster, name, () => new Set<string>()).add(carrier.metadata.uid ?? '');
  };
  const all = (type: ResourceType, cluster: string) =>
    [...present.values()]
      .filter((object) => object.kind === type.kind && clusterOf(object) === cluster)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const find = (type: ResourceType, cluster: string, name: string) =>
    all(type, cluster).find((object) => object.metadata.name === name);

  const follow = async (type: ResourceType) => {
    for await (const change of watchObjects({ kube, type, namespace, log, signal })) {
      if (change.type === 'listed') {
        const listed = new Set(change.items.map((item) => item.metadata.uid));
        for (const [uid, object] of present) {
          if (object.kind === type.kind && !listed.has(uid)) present.delete(uid);
        }
        for (const item of change.items) see(item);
      } else if (change.type === 'deleted') present.delete(change.object.metadata.uid ?? '');
      else if (change.type !== 'listing') see(change.object);
    }
  };
  const record = (decision: Decision) => {
    const key = parseKey(decision.key);
    if (key?.namespace === namespace) entry(decisions, key.name, () => []).push(decision);
  };
  const running = [
    ...Object.values(kinds).map(follow),
    followDecisions({ natsUrl, kube: 'local', log, since: new Date(0), signal }, record),
  ];
  return {
    resource: (cluster) => find(kinds.resource, cluster, cluster),
    pods: (cluster) => all(kinds.pod, cluster),
    claims: (cluster) => all(kinds.claim, cluster),
    services: (cluster) => all(kinds.service, cluster),
    past: (cluster) => [...past.values()].filter((object) => clusterOf(object) === cluster),
    carriers: (cluster) => carriers.get(cluster) ?? new Map(),
    decisions: (cluster) => decisions.get(cluster) ?? [],
    async stop() {
      stop.abort();
      await Promise.all(running);
      await kube.close();
    },
  };
}

const clusterOf = ({ kind, metadata }: KubeObject): string =>
  kind === etcdResourceType.kind ? metadata.name : (metadata.labels?.[labels.cluster] ?? '');

interface PodShape {
  spec?: { volumes?: { persistentVolumeClaim?: { claimName: string } }[] };
  status?: { conditions?: { type: string; status: string }[] };
}

/** Whether a pod is ready; nothing else ever is. */
export const isReady = (object: KubeObject): boolean =>
  object.kind === 'Pod' &&
  (object as PodShape).status?.conditions?.some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  ) === true;

const claimOf = (pod: KubeObject): string | undefined =>
  (pod as PodShape).spec?.volumes?.find((volume) => volume.persistentVolumeClaim)?.persistentVolumeClaim
    ?.claimName;

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
