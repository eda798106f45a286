import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../../libs/kube/object.ts';

/** What happens to a pod on its node, behind the back of Kubernetes. */
export interface Node {
  /** Sends a signal to the processes of the pods' first containers; returns how many there were. */
  signal(pods: readonly KubeObject[], signal: NodeJS.Signals): Promise<number>;
  /** Removes everything below a folder, as the pod's first container sees it. It need not be able to run. */
  empty(pod: KubeObject, folder: string): Promise<void>;
}

/** The id of the pod's first container, e.g. `containerd://0123`; throws where it has none. */
export function containerIdOf(pod: KubeObject): string {
  const status = pod['status'] as { containerStatuses?: { containerID?: string }[] } | undefined;
  const id = status?.containerStatuses?.[0]?.containerID;
  if (!id) throw new Error(`${pod.metadata.name} has no container that runs`);
  return id;
}

/** The sandbox's node is this machine, and the id of a container its process. */
export const sandboxNode: Node = {
  async signal(pods, signal) {
    return pods.filter((pod) => isSent(processOf(pod), signal)).length;
  },
  async empty(pod, folder) {
    const root = join(`/proc/${processOf(pod)}/root`, folder);
    for (const entry of await readdir(root)) await rm(join(root, entry), { recursive: true });
  },
};

/** Whether there was such a process: one that has just ended is still named by the status of its pod. */
function isSent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The number of the process of the pod’s first container on this machine; throws where it has none. */
export function processOf(pod: KubeObject): number {
  const id = containerIdOf(pod);
  const pid = Number(/^sandbox:\/\/(\d+)$/.exec(id)?.[1]);
  if (!(pid > 1)) throw new Error(`${pod.metadata.name} has no process on this machine: ${id}`);
  return pid;
}
