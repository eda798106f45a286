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
    await kubectl.run('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=110s');
    return name;
  }

  /** Runs shell commands on a node, with the numbers of the processes of these pods there in `$pids`. */
  async function onNode(nodeName: string, pods: readonly KubeObject[], commands: string): Promise<string> {
    const agent = agents.get(nodeName) ?? agentOn(nodeName);
    agents.set(nodeName, agent);
    const ids = pods.map((pod) => `-e ${containerIdOf(pod).replace(/^\w+:\/\//, '')}`).join(' ');
    // The control group of a process names its container (cgroups(7)), whatever runs the containers.
    const find = `pids=$(grep -ls ${ids} /proc/[0-9]*/cgroup | cut -d/ -f3)`;
    return kubectl.run('exec', await agent, '--', 'sh', '-c', `${find}; ${commands}`);
  }

  return {
    async signal(pods, signal) {
      const byNode = [...Map.groupBy(pods, nodeNameOf)];
      // The shell's own kill says which process has just ended by itself, and goes on with the others.
      const commands = `kill -s ${signal.replace('SIG', '')} $pids; echo $pids | wc -w`;
      const counts = await Promise.all(byNode.map(([name, there]) => onNode(name, there, commands)));
      return counts.map(Number).reduce((sum, count) => sum + count, 0);
    },
    async empty(pod, folder) {
      // All processes of a container see the same files.
      const commands = `set -- $pids; rm -rf /proc/$1/root${folder}/*`;
      await onNode(nodeNameOf(pod), [pod], commands);
    },
  };
}

const nodeNameOf = (pod: KubeObject): string => (pod['spec'] as { nodeName?: string }).nodeName ?? '';

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
