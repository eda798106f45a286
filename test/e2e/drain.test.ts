import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAccess } from '../../libs/kube/access.ts';
import { readStatus } from '../../libs/kube/failure.ts';
import { openRequests } from '../../libs/kube/request.ts';
import { createCluster } from './cluster.ts';
import { holds, holdsNoMore } from './conditions.ts';
import { openStage } from './stage.ts';

const seen = await openStage();
const { stage } = seen;
const versions = (await stage.kubectl('api-versions')).split('\n');
const policy = versions.includes('policy/v1') ? 'policy/v1' : 'policy/v1beta1';

/**
 * What the API says to an eviction, as `kubectl drain` asks for it: nothing where it takes the pod. Asked without kubectl,
 * which on a busy machine takes longer to start than a member that was let go takes to be back.
 */
async function refusalOfEviction(pod: string): Promise<string> {
  const { namespace, kubeconfigPath } = stage;
  const body = { apiVersion: policy, kind: 'Eviction', metadata: { name: pod, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
  // Another one each time: a refusal may ask who asked to wait.
  const requests = openRequests(openAccess({ path: kubeconfigPath }), {
    userAgent: 'test',
    timeoutMs: 10_000,
  });
  try {
    const { status, body: said } = await requests.ask({ method: 'POST', path, body });
    return status < 300 ? '' : (readStatus(said).message ?? `${status}`);
  } finally {
    await requests.close();
  }
}

const overBudget = /violate the pod's disruption budget/;

test('one member is let go at a time, and the next when that one is back', async (t) => {
  const cluster = await createCluster(seen, t, 'evicted', { claims: true });
  const { leader, followers } = await cluster.roles();
  const before = await cluster.ids();
  await cluster.until('the budget lets one go', async () => (await refusalOfEviction(followers[0])) === '');
  assert.match(await refusalOfEviction(leader), overBudget);
  await cluster.settled(3);
  await cluster.until('the budget lets the next one go', async () => {
    const refusal = await refusalOfEviction(leader);
    assert.ok(refusal === '' || overBudget.test(refusal), refusal);
    return refusal === '';
  });
  await cluster.settled(3);
  assert.deepEqual(await cluster.ids(), before, 'with its claim each member returned as who it was');
  await cluster.finish();
});

test('a member without a claim is replaced under a new number before the next one is let go', async (t) => {
  const cluster = await createCluster(seen, t, 'replaced');
  const { followers } = await cluster.roles();
  await cluster.until('the budget lets one go', async () => (await refusalOfEviction(followers[0])) === '');
  assert.match(await refusalOfEviction(followers[1]), overBudget);
  await cluster.until('a new member has taken its place', async () => 'replaced-4' in (await cluster.ids()));
  await cluster.settled(3);
  assert.ok(!(followers[0] in (await cluster.ids())));
  await cluster.finish();
});

test('of one or two members none is let go, because the others cannot do without it', async (t) => {
  const cluster = await createCluster(seen, t, 'few', { size: 1 });
  assert.match(await refusalOfEviction('few-1'), overBudget);
  await stage.kubectl('scale', 'etcdcluster', 'few', '--replicas=2');
  await cluster.settled(2);
  for (const pod of ['few-1', 'few-2']) assert.match(await refusalOfEviction(pod), overBudget);
  await stage.kubectl('scale', 'etcdcluster', 'few', '--replicas=3');
  await cluster.settled(3);
  await cluster.until('of three one is let go', async () => (await refusalOfEviction('few-1')) === '');
  await cluster.settled(3);
  await cluster.finish();
});

test('kubectl drain waits for the budget; what has no node to return to says so, and returns when it has', async (t) => {
  const cluster = await createCluster(seen, t, 'drained', { claims: true });
  const { nodeName = '' } = (cluster.pods()[0]?.['spec'] ?? {}) as { nodeName?: string };
  const before = cluster.pods().map(({ metadata }) => metadata.uid);
  const options = ['--pod-selector=etcd_cluster=drained', '--delete-emptydir-data', '--timeout=10s'];
  try {
    const refusal = await stage.kubectl('drain', nodeName, ...options).then(
      () => '',
      (error) => String(error.stderr),
    );
    assert.match(
      refusal,
      /disruption budget|timeout/i,
      'the drain waits in vain, since there is one node only',
    );
    const kept = () => cluster.pods().filter(({ metadata }) => before.includes(metadata.uid)).length;
    await cluster.until('one of three is let go', () => kept() < 3);
    await holds(stage, 'drained', 'Degraded', ['Unschedulable', /unschedulable.*uncordon a node/]);
    const written = cluster.writer.acknowledged();
    await cluster.until('writes go on', () => cluster.writer.acknowledged() > written + 10);
    assert.equal(kept(), 2, 'two of three members stay');
  } finally {
    await stage.kubectl('uncordon', nodeName);
  }
  await cluster.settled(3);
  await holdsNoMore(stage, 'drained', 'Degraded');
  await cluster.finish();
});
