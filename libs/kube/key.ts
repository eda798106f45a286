/** The key of a cluster, `<engine>/<namespace>/<name>`: the one name a task, a decision and a log line use. */
export interface ClusterKey {
  engine: string;
  namespace: string;
  name: string;
}

/** `etcd/default/example` */
export function formatKey(key: ClusterKey): string {
  return `${key.engine}/${key.namespace}/${key.name}`;
}

/** The parts of a key, or `undefined` where the text is none. */
export function parseKey(text: string): ClusterKey | undefined {
  const [engine, namespace, name, ...rest] = text.split('/');
  if (!engine || !namespace || !name || rest.length > 0) return undefined;
  return { engine, namespace, name };
}
