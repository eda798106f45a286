import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAccess } from '../../../libs/kube/access.ts';
import { openRequests } from '../../../libs/kube/request.ts';
import { sumOf } from './metrics.ts';
import { untilResting } from './passes.ts';
import type { Stand } from './stand.ts';

const hourMs = 3_600_000;

/**
 * How many requests the Kubernetes API gets in an hour for each of so many clusters while nothing happens to them, as
 * the API itself counts them; from a shorter time, over which they are spread evenly.
 */
export async function measureIdleRequests(
  stand: Stand,
  { clusters, overMs }: { clusters: number; overMs: number },
): Promise<number> {
  const requests = openRequests(openAccess({ path: stand.kubeconfigPath }), {
    userAgent: 'bench',
    timeoutMs: 10_000,
  });
  const count = async () => {
    const metrics = await text(await requests.stream({ method: 'GET', path: '/metrics' }));
    return sumOf(metrics, 'apiserver_request_total');
  };
  await untilResting(stand, clusters);
  const before = await count();
  await sleep(overMs);
  const asked = (await count()) - before;
  await requests.close();
  return (asked * hourMs) / overMs / clusters;
}
