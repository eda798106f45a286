import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { until } from '../../wait.ts';
import { agentImage } from './agent.ts';
import { testNamespaceLabels } from './bench.ts';
import type { Kubectl } from './kubectl.ts';

const port = 2379;

/** Throws where this machine does not reach pods by their addresses, which the tests' clients of etcd have to. */
export async function assertPodsReachable(kubectl: Kubectl): Promise<void> {
  const namespace = `e2e-reachable-${randomBytes(2).toString('hex')}`;
  const here = ['--namespace', namespace];
  const metadata = { name: namespace, labels: testNamespaceLabels() };
  await kubectl.feed('create', { apiVersion: 'v1', kind: 'Namespace', metadata });
  try {
    await kubectl.feed('create', etcdPod, ...here);
    await kubectl.run('wait', '--for=condition=Ready', 'pod/etcd', '--timeout=120s', ...here);
    const pod = await kubectl.get('pod', 'etcd', ...here);
    const { podIP = '' } = (pod?.['status'] ?? {}) as { podIP?: string };
    await until('the pod answers', () => accepts(podIP), 5_000).catch((cause: unknown) => {
      throw new Error(
        `pods cannot be reached from here (${podIP}:${port}): run the tests on a node, or in a pod`,
        { cause },
      );
    });
  } finally {
    await kubectl.run('delete', 'namespace', namespace, '--wait=false');
  }
}

const etcdPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'etcd' },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'etcd',
        image: agentImage,
        command: [
          'etcd',
          `--listen-client-urls=http://0.0.0.0:${port}`,
          `--advertise-client-urls=http://x:${port}`,
        ],
        readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
      },
    ],
  },
};

function accepts(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('connect', () => finish(true));
    // No way there, or nothing listens yet: the caller asks again for a while.
    socket.once('error', () => finish(false));
  });
}
