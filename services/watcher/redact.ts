import { createHmac } from 'node:crypto';
import { openSecrets } from '../../libs/engine/secrets.ts';
import { type KubeObject, resourceTypes } from '../../libs/kube/object.ts';

/**
 * The object as it may leave Kubernetes: without `managedFields`, with its secrets hidden, and a Secret without its
 * data. Of that only the names of its keys stay (`keys`) and a keyed digest (`digest`), enough to see that it
 * changed: without the key, nobody can try out guesses of a short password against it.
 */
export function redact(object: KubeObject, digestKey: string): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  const secrets = openSecrets(digestKey, [metadata.namespace ?? '', metadata.name]);
  if (object.kind !== resourceTypes.secret.kind) return secrets.hide({ ...object, metadata });
  // Named fields only, so that whatever else a Secret may hold one day stays where it is.
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: secrets.hide(metadata),
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
