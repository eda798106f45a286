import { test } from 'node:test';
import { agentImage } from '../bench/agent.ts';
import { createCluster } from '../cluster.ts';
import { holds, holdsNoMore } from '../conditions.ts';
import { etcdCluster, openStage } from '../stage.ts';

const seen = await openStage();
const { stage } = seen;

/**
 * How long the kubelet stands still: a node counts as not ready after 40 s without a word of it, or some more on a busy
 * machine. The rest is the time in which that can be read.
 */
const pauseSeconds = 90;

/** Stops the kubelet of a node and lets it go on by itself: while it stands still nobody can ask for that. */
const pausingPod = (nodeName: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pause-kubelet' },
  spec: {
    nodeName,
    hostPID: true,
    restartPolicy: 'Never',
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: 'pause',
        image: agentImage,
        command: [
          'sh',
          '-c',
          `kubelet=$(grep -lsx kubelet /proc/[0-9]*/comm | cut -d/ -f3)
trap 'kill -s CONT $kubelet; exit' TERM
kill -s STOP $kubelet; sleep ${pauseSeconds} & wait $!; kill -s CONT $kubelet`,
        ],
        securityContext: { privileged: true, runAsUser: 0 },
      },
    ],
  },
});

test('a node that is not heard of: it is named while its members serve on, and all is well when it is back', async (t) => {
  const cluster = await createCluster(seen, t, 'unheard', { claims: true });
  const { nodeName = '' } = (cluster.pods()[0]?.['spec'] ?? {}) as { nodeName?: string };
  await stage.apply(pausingPod(nodeName));
  const words = new RegExp(`its node ${nodeName} is not ready .*kubectl delete node ${nodeName}`);
  await holds(stage, 'unheard', 'Degraded', ['NodeNotReady', words], 120_000);
  const written = cluster.writer.acknowledged();
  await cluster.until('writes go on', () => cluster.writer.acknowledged() > written + 10);
  await cluster.settled(3, 180_000);
  await holdsNoMore(stage, 'unheard', 'Degraded');
  await cluster.finish();
});

test('a machine that is gone for good: its pods are named, and made elsewhere when its Node object goes', async (t) => {
  const name = `gone-${stage.namespace}`;
  const time = new Date().toISOString();
  const ready = { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'no such machine' };
  const capacity = { cpu: '1', memory: '1Gi', pods: '10' };
  t.after(() => stage.kubectl('delete', 'node', name, '--ignore-not-found'));
  await stage.feed('create', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'quorate.io/e2e': name } },
    // Nothing else may be put there.
    spec: { taints: [{ key: 'quorate.io/e2e', effect: 'NoSchedule' }] },
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ ...ready, lastHeartbeatTime: time, lastTransitionTime: time }],
    },
  });
  const pod = { nodeSelector: { 'quorate.io/e2e': name }, tolerations: [{ operator: 'Exists' }] };
  await stage.apply(etcdCluster('moved', { size: 1, version: '3.4.23', pod }));
  const lost = new RegExp(`moved-1: its node ${name} is not ready `);
  await holds(stage, 'moved', 'Degraded', ['NodeNotReady', lost]);
  await stage.kubectl('delete', 'pod', 'moved-1', '--wait=false', '--grace-period=1');
  const stuck = new RegExp(`should have ended by .* its node ${name} does not confirm it.*--force`);
  await holds(stage, 'moved', 'Degraded', ['NodeNotReady', stuck]);
  await stage.apply(etcdCluster('moved', { size: 1, version: '3.4.23' }));
  await stage.kubectl('delete', 'node', name);
  await stage.settled('moved', 1, 180_000);
  await holdsNoMore(stage, 'moved', 'Degraded');
});
