import type { Engine } from '../../../libs/engine/contract.ts';
import type { Decision } from '../../../libs/engine/decision.ts';
import { formatKey } from '../../../libs/kube/key.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import type { Change } from '../../../libs/kube/watch.ts';
import { type ClusterView, viewCluster } from '../show/cluster.ts';

/** What is known of all clusters at present, put together from the API's objects and the records of passes. */
export interface ClusterState {
  resource(engine: Engine, change: Change): void;
  pod(change: Change): void;
  decision(decision: Decision): void;
  /** Sorted by key. */
  views(): ClusterView[];
}

export function createClusterState(engines: readonly Engine[]): ClusterState {
  const resources = new Map(engines.map((engine) => [engine.name, new Map<string, KubeObject>()]));
  const pods = new Map<string, KubeObject>();
  const last = new Map<string, { decision: Decision; roles: Record<string, string> }>();
  return {
    resource(engine, change) {
      const objects = resources.get(engine.name);
      if (objects !== undefined) follow(objects, change);
    },
    pod(change) {
      follow(pods, change);
    },
    decision(decision) {
      const engine = engines.find(({ name }) => name === decision.engine.name);
      const known = last.get(decision.key);
      if (engine === undefined || (known && known.decision.time > decision.time)) return;
      last.set(decision.key, { decision, roles: rolesOf(engine, decision) });
    },
    views() {
      const views = [...resources].flatMap(([engine, objects]) =>
        [...objects.values()].map((resource) => {
          const { name, namespace = 'default', uid } = resource.metadata;
          const record = last.get(formatKey({ engine, namespace, name }));
          // A cluster of an earlier resource of that name is another one.
          const own = record?.decision.resource?.uid === uid ? record : undefined;
          return viewCluster(engine, resource, [...pods.values()], own);
        }),
      );
      return views.sort((a, b) => (a.key < b.key ? -1 : 1));
    },
  };
}

function follow(objects: Map<string, KubeObject>, change: Change): void {
  const nameOf = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`;
  if (change.type === 'listing') return;
  if (change.type === 'listed') {
    objects.clear();
    for (const object of change.items) objects.set(nameOf(object), object);
  } else if (change.type === 'deleted') objects.delete(nameOf(change.object));
  else objects.set(nameOf(change.object), change.object);
}

/** The roles that the members had in a pass; none where its facts are of a version this engine does not know. */
function rolesOf(engine: Engine, decision: Decision): Record<string, string> {
  if (engine.roles === undefined || decision.engine.version !== engine.version || !decision.facts) return {};
  return engine.roles(decision.facts);
}
