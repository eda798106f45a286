import type { KubeObject } from '../../../libs/kube/object.ts';
import type { Kubectl } from './kubectl.ts';
import { containerIdOf, type Node } from './node.ts';

/** An image that tests need in any case, and that has a shell and `grep`. */
export const agentImage = 'quay.io/coreos/etcd:v3.4.23';

/**
 * The nodes of any Kubernetes that admits privileged pods: a pod on each node where something is asked for, in the
 * namespace of the kubeconfig, sees the processes of all containers there.
 */
export function agentNode(kubectl: Kubectl): Node {
  const agents = new Map<string, Promise<string>>();

  async function agentOn(nodeName: string): Promise<string> {
    const name = `agent-${nodeName}`;
    await kubectl.feed('apply', agentPod(name, nodeName));
    await kubectl.run('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');
    return name;
  }

  /** Runs shell commands beside the container, with its processes' numbers in `$pids`. */
  async function besideContainer(pod: KubeObject, commands: string): Promise<void> {
    const { nodeName = '' } = (pod['spec'] ?? {}) as { nodeName?: string };
    const agent = agents.get(nodeName) ?? agentOn(nodeName);
    agents.set(nodeName, agent);
    const id = containerIdOf(pod).replace(/^\w+:\/\//, '');
    // The control group of a process names its container (cgroups(7)), whatever runs the containers.
    const find = `pids=$(grep -ls ${id} /proc/[0-9]*/cgroup | cut -d/ -f3); test -n "$pids"`;
    await kubectl.run('exec', await agent, '--', 'sh', '-ec', `${find}; ${commands}`);
  }

  return {
    signal: (pod, signal) => besideContainer(pod, `kill -s ${signal.replace('SIG', '')} $pids`),
    empty: (pod, folder) =>
      besideContainer(pod, `for pid in $pids; do rm -rf /proc/$pid/root${folder}/*; break; done`),
  };
}

function agentPod(name: string, nodeName: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { 'app.kubernetes.io/name': 'quorate-e2e-agent' } },
    spec: {
      nodeName,
      hostPID: true,
      tolerations: [{ operator: 'Exists' }],
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'agent',
          image: agentImage,
          // Ends with its pod at once, which `sleep` as a first process would not.
          command: ['sh', '-c', 'trap exit TERM; sleep infinity & wait'],
          securityContext: { privileged: true, runAsUser: 0 },
        },
      ],
    },
  };
}
