import assert from 'node:assert/strict';
import type { KubeObject } from '../../libs/kube/object.ts';
import type { Stage } from './stage.ts';

interface PodStatus {
  containerStatuses?: { containerID?: string; restartCount?: number }[];
}

/** What must stay the same of a cluster that nobody touches: its pods and their processes, claims and services. */
export async function fingerprint(stage: Stage, name: string): Promise<string[]> {
  const objects = await stage.list('pods,services,persistentvolumeclaims', `etcd_cluster=${name}`);
  return objects.map(describe).sort();
}

function describe({ kind, metadata, ...rest }: KubeObject): string {
  const { containerStatuses = [] } = (rest['status'] ?? {}) as PodStatus;
  const processes = containerStatuses.map(
    ({ containerID, restartCount }) => `${containerID}×${restartCount}`,
  );
  const deleting = metadata.deletionTimestamp === undefined ? '' : 'is being deleted';
  return [kind, metadata.name, metadata.uid, ...processes, deleting].join(' ').trim();
}

/** Fails unless everything of the cluster is the very same as when the fingerprint was taken. */
export async function assertUntouched(stage: Stage, name: string, before: string[]): Promise<void> {
  assert.ok(before.length > 0, `there is something of ${name} to leave alone`);
  assert.deepEqual(await fingerprint(stage, name), before);
}
