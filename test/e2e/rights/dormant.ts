import type { DormantRight } from './compare.ts';

/** Rights of the chart that no end-to-end test can use on every Kubernetes. */
export const dormantRights: readonly DormantRight[] = [
  {
    account: 'quorate-worker',
    apiGroup: 'etcd.database.coreos.com',
    resource: 'etcdclusters/finalizers',
    verb: 'update',
    reason:
      'Asked for only where the admission plugin OwnerReferencesPermissionEnforcement is on, as on OpenShift.',
  },
];
