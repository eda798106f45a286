import { createHmac } from 'node:crypto';
import { type KubeObject, resourceTypes } from '../../libs/kube/object.ts';

/** kubectl keeps a copy of what it applied here, with a Secret's data in clear. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The object as it may leave Kubernetes: without `managedFields`, and a Secret without its data. Of that only
 * the names of its keys stay (`keys`) and a keyed digest (`digest`), enough to see that it changed: without the
 * key, nobody can try out guesses of a short password against it.
 */
export function redact(object: KubeObject, digestKey: string): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  if (object.kind !== resourceTypes.secret.kind) return { ...object, metadata };
  const { [lastApplied]: _copy, ...annotations } = metadata.annotations ?? {};
  // Named fields only, so that whatever else a Secret may hold one day stays where it is.
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...metadata, ...(metadata.annotations === undefined ? {} : { annotations }) },
    type: object['type'],
    ...describeData(object['data'], digestKey),
  };
}

function describeData(data: unknown, digestKey: string): { keys: string[]; digest: string } {
  const entries = Object.entries((data ?? {}) as Record<string, unknown>).sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  const digest = createHmac('sha256', digestKey).update(JSON.stringify(entries)).digest('hex');
  return { keys: entries.map(([name]) => name), digest: `hmac-sha256:${digest}` };
}
