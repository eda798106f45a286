import type { KubeObject } from '../../../libs/kube/object.ts';
import { ownedKinds, type Scene, type Subject } from './scene.ts';

/** What a cluster is, without what differs from one run to the next: plain JSON. */
export type EndState = Record<string, unknown>;

/** The cluster as Kubernetes and etcd have it: its spec, its identity, its objects and what they ask for, its members. */
export async function endStateOf({ stage, watched }: Scene, { cluster, size }: Subject): Promise<EndState> {
  const { name } = cluster;
  const objects = await stage.list(ownedKinds, `etcd_cluster=${name}`);
  const resource = watched.resource(name);
  const state = {
    resource: resource && { spec: resource['spec'], annotations: resource.metadata.annotations },
    objects: Object.fromEntries(objects.map((object) => [placeOf(object), asked(object)]).sort()),
    members: size === 0 ? [] : Object.keys(await cluster.ids()),
  };
  const names = [
    [resource?.metadata.uid, '<uid>'],
    [stage.namespace, '<namespace>'],
  ] as const;
  let text = JSON.stringify(state);
  for (const [own, word] of names) if (own !== undefined) text = text.replaceAll(own, word);
  return JSON.parse(text) as EndState;
}

const placeOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`;

/** What was asked for of an object, without what a server has added. */
function asked(object: KubeObject): object {
  const { labels, annotations = {}, ownerReferences } = object.metadata;
  const kept = Object.entries(annotations).filter(([name]) => name.startsWith('quorate.io/'));
  return { labels, annotations: Object.fromEntries(kept), ownerReferences, spec: specOf(object) };
}

/** The fields of a spec that are the server's to fill. */
const filled = ['nodeName', 'clusterIP', 'clusterIPs', 'volumeName'];

function specOf(object: KubeObject): object {
  const fields = Object.entries((object['spec'] ?? {}) as object);
  return Object.fromEntries(fields.filter(([field]) => !filled.includes(field)));
}
