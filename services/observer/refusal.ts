import { createHash } from 'node:crypto';
import { isError, messageOf } from '../../libs/errors/catalogue.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { resourceTypes } from '../../libs/kube/object.ts';
import type { Refusal } from '../../libs/kube/registered/registration.ts';

/** Tells on a Secret that registers nothing why that is, so that `kubectl describe` shows it; once for each reason. */
export async function tellRefusal(kube: Kube, { secret, error }: Refusal, now: Date): Promise<void> {
  const { name, namespace, uid, resourceVersion } = secret.metadata;
  const message = `${messageOf(error)}. ${error.help}`;
  const hash = createHash('sha256').update(`${uid} ${resourceVersion} ${message}`).digest('hex').slice(0, 16);
  const time = `${now.toISOString().slice(0, 19)}Z`;
  try {
    await kube.create(resourceTypes.event, {
      ...{ apiVersion: 'v1', kind: 'Event', type: 'Warning', reason: 'KubeNotServed', message },
      metadata: { name: `${name}.${hash}`, namespace: namespace ?? 'default' },
      involvedObject: { apiVersion: 'v1', kind: 'Secret', name, namespace, uid, resourceVersion },
      ...{ firstTimestamp: time, lastTimestamp: time, count: 1, source: { component: 'quorate' } },
      ...{ reportingComponent: 'quorate', reportingInstance: 'observer' },
    });
  } catch (problem) {
    // Another observer was first.
    if (!isError(problem, 'KUBE_EXISTS')) throw problem;
  }
}
