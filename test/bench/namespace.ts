import type { Kube } from '../../libs/kube/kube.ts';
import { resourceTypes } from '../../libs/kube/object.ts';
import { until } from '../wait.ts';
import { measureReady, namespace } from './members.ts';

/** Makes the namespace of the benchmark, waits until Quorate works in it, runs `measure`, and deletes it again. */
export async function withNamespace(kube: Kube, measure: () => Promise<void>): Promise<void> {
  const { metadata } = await kube.create(resourceTypes.namespace, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  try {
    // Not before the CRD is installed and every part is connected does a first cluster come up.
    await until('Quorate works', () => measureReady(kube, 1).then(Boolean, () => false), 60_000);
    await measure();
  } finally {
    await kube.delete(resourceTypes.namespace, undefined, namespace, { uid: metadata.uid ?? '' });
  }
}
