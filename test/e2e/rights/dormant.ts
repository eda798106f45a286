import type { DormantRight } from './compare.ts';

const worker = { account: 'quorate-worker' };
/** Of what goes with its resource, Kubernetes' own garbage collection may be the first to take away. */
const collected = 'The garbage collector of Kubernetes is often faster where a cluster is deleted.';

/** Rights of the chart that no end-to-end test is sure to use on every Kubernetes. */
export const dormantRights: readonly DormantRight[] = [
  {
    ...worker,
    apiGroup: 'etcd.database.coreos.com',
    resource: 'etcdclusters/finalizers',
    verb: 'update',
    reason:
      'Asked for only where the admission plugin OwnerReferencesPermissionEnforcement is on, as on OpenShift.',
  },
  {
    ...worker,
    apiGroup: '',
    resource: 'persistentvolumeclaims',
    verb: 'get',
    reason: 'Only where a claim that is to be made turns out to be there, after a pass that was cut off.',
  },
  { ...worker, apiGroup: '', resource: 'services', verb: 'delete', reason: collected },
  { ...worker, apiGroup: 'policy', resource: 'poddisruptionbudgets', verb: 'delete', reason: collected },
];
