import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { until } from '../wait.ts';
import { conditionOf, openStage, statusOf } from './stage.ts';

const name = 'example-etcd-cluster';
const members = [1, 2, 3].map((number) => `${name}-${number}`);

const { stage } = await openStage();
const { exampleFile, exampleVersion: version } = stage;

test('the example becomes three ready members within seconds of kubectl apply', async (t) => {
  const unchanged = `apiVersion: "etcd.database.coreos.com/v1beta2"
kind: "EtcdCluster"
metadata:
  name: "example-etcd-cluster"
spec:
  size: 3
  version: "3.2.13"
`;
  assert.equal(await readFile('deploy/examples/etcd-cluster.yaml', 'utf8'), unchanged);
  const startedMs = performance.now();
  await stage.kubectl('apply', '-f', exampleFile);
  await stage.kubectl('wait', '--for=condition=Available', `etcd/${name}`, '--timeout=60s');
  const readyMembers = async () => statusOf(await stage.get('etcd', name)).readyMembers;
  await until('all three are ready', async () => (await readyMembers()) === 3);
  const tookMs = performance.now() - startedMs;
  t.diagnostic(`kubectl apply to three ready members: ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 20_000, `took ${tookMs} ms`);
});

test('the status has every field that users of the etcd operator know', async () => {
  const resource = await stage.settled(name, 3);
  const { conditions = [], ...status } = statusOf(resource);
  assert.deepEqual(status, {
    phase: 'Running',
    controlPaused: false,
    size: 3,
    readyMembers: 3,
    serviceName: `${name}-client`,
    clientPort: 2379,
    members: { ready: members, unready: [] },
    currentVersion: version,
    observedGeneration: resource.metadata.generation,
  });
  const held = Object.fromEntries(conditions.map(({ type, status: holds }) => [type, holds]));
  assert.deepEqual(held, {
    Available: 'True',
    Recovering: 'False',
    Scaling: 'False',
    Upgrading: 'False',
    SpecApplied: 'True',
    Degraded: 'False',
    Blocked: 'False',
  });
  for (const condition of conditions as unknown as Record<string, string>[]) {
    assert.match(condition['lastTransitionTime'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(condition['lastUpdateTime'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  }
  assert.equal(conditionOf(resource, 'Available')?.message, '3 of 3 voting members reach quorum');
});

test('kubectl get etcd shows size, ready, version, phase and age', async () => {
  // Of three that are ready one may be too slow to say so, for a moment.
  const [header, row] = await until('all three are ready', async () => {
    const lines = (await stage.kubectl('get', 'etcd')).split('\n').map((line) => line.split(/\s+/));
    return lines[1]?.[2] === '3' && lines;
  });
  assert.deepEqual(header, ['NAME', 'SIZE', 'READY', 'VERSION', 'PHASE', 'AGE']);
  assert.deepEqual(row?.slice(0, 5), [name, '3', '3', version, 'Running']);
});

test('kubectl explain teaches every field of the pod policy', async () => {
  const text = await stage.kubectl('explain', 'etcdcluster.spec.pod');
  const known =
    'labels annotations nodeSelector affinity antiAffinity tolerations resources etcdEnv securityContext ' +
    'persistentVolumeClaimSpec busyboxImage DNSTimeoutInSecond ClusterDomain';
  for (const field of known.split(' ')) {
    // A field's line, and below it, indented, at least one line that describes it.
    assert.match(text, new RegExp(`^ {2,3}${field}\\t<[^>]*>.*\\n {4,5}\\S`, 'm'), `${field} is described`);
  }
  assert.match(await stage.kubectl('explain', 'etcdcluster.spec.size'), /number of members wanted/);
  assert.match(await stage.kubectl('explain', 'etcdcluster.status.phase'), /Failed while quorum is lost/);
});

test('kubectl describe shows events that read like a log of what was done and why', async () => {
  const wanted = [
    'RecordIdentity a new cluster of 3: recorded before the first member is made, so that it is never bootstrapped twice',
    `ApplyService service ${name}: made; it gives the members their names`,
    `CreatePod pod ${name}-1: seed 1 of 3`,
    `CreatePod pod ${name}-2: seed 2 of 3`,
    `CreatePod pod ${name}-3: seed 3 of 3`,
    'RecordIdentity the cluster has formed: its seeds reach quorum, so from now on members are only added to it',
    `ApplyService service ${name}-client: made; clients reach the ready members through it`,
    `ApplyBudget disruption budget ${name}: 2 pods must stay ready, so that no drain of nodes takes quorum away`,
  ];
  // Each of several observers writes the events of other passes: the last may be there before the first.
  const log = await until('the events are written', async () => {
    const lines = eventLines(await stage.kubectl('describe', 'etcd', name));
    return lines.length > wanted.length && lines;
  });
  assert.deepEqual(log.slice(0, wanted.length), wanted);
  // A member that is too slow to answer is told of as well, and no step follows from it.
  const turns = log.slice(wanted.length);
  assert.ok(turns.some((line) => /^Available [23] of 3 voting members reach quorum$/.test(line)));
  for (const line of turns) assert.match(line, /^(Available|Unavailable|Recovering|Recovered) /);
});

/** Reason and message of each event that kubectl describe prints, in its order. */
function eventLines(description: string): string[] {
  const [, table = ''] = description.split(/^Events:\n/m);
  const rows = table.split('\n').slice(2);
  return rows.flatMap((row) => {
    const [, reason, message] = /^\s+(?:Normal|Warning)\s+(\S+)\s+.*?\s+quorate\s+(.*)$/.exec(row) ?? [];
    return reason === undefined ? [] : [`${reason} ${message}`];
  });
}

test('pods and services carry the labels that selectors of the etcd operator expect', async () => {
  const objects = await stage.list('pods,services', `app=etcd,etcd_cluster=${name}`);
  const names = objects.map((object) => `${object.kind} ${object.metadata.name}`).sort();
  assert.deepEqual(names, [
    ...members.map((member) => `Pod ${member}`),
    `Service ${name}`,
    `Service ${name}-client`,
  ]);
  for (const { metadata } of objects) {
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'quorate');
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'EtcdCluster');
  }
});

test('the headless service publishes unready members on 2379 and 2380, the client service has 2379', async () => {
  const [headless, client] = await Promise.all([
    stage.get('service', name),
    stage.get('service', `${name}-client`),
  ]);
  const specOf = (service: typeof headless) =>
    (service?.['spec'] ?? {}) as {
      clusterIP?: string;
      publishNotReadyAddresses?: boolean;
      ports?: { port: number }[];
    };
  const portsOf = (service: typeof headless) => specOf(service).ports?.map(({ port }) => port);
  assert.equal(specOf(headless).clusterIP, 'None');
  assert.equal(specOf(headless).publishNotReadyAddresses, true);
  assert.deepEqual(portsOf(headless), [2379, 2380]);
  assert.notEqual(specOf(client).clusterIP, 'None');
  assert.deepEqual(portsOf(client), [2379]);
});

test('the version that was asked for runs, and in the sandbox, which has only one, each pod says which', async () => {
  for (const pod of await stage.list('pods', `etcd_cluster=${name}`)) {
    const said = pod.metadata.annotations?.['sandbox.quorate.io/runs'];
    const runs = stage.bench.kubernetes.kind === 'sandbox' ? said : `etcd ${version}`;
    assert.match(runs ?? '', /^etcd \d+\.\d+\.\d+$/);
    const text = await stage.kubectl('exec', pod.metadata.name, '--', 'etcdctl', 'version');
    assert.ok(text.includes(runs?.replace('etcd ', '') ?? 'no version'), `${text} against ${runs}`);
  }
});

test('kubectl exec with etcdctl reads on one member what it wrote on another, and through the client service', async () => {
  const [first = '', second = '', third = ''] = members;
  const etcdctl = (pod: string, ...args: string[]) => stage.kubectl('exec', pod, '--', 'etcdctl', ...args);
  assert.equal(await etcdctl(first, 'put', 'hello', 'world'), 'OK\n');
  assert.equal(await etcdctl(second, 'get', 'hello', '--print-value-only'), 'world\n');
  // etcdctl takes --endpoints only where ETCDCTL_ENDPOINTS, which names the pod's own member, is unset.
  const service = `ETCDCTL_ENDPOINTS=http://${name}-client:2379`;
  const get = ['etcdctl', 'get', 'hello', '--print-value-only'];
  assert.equal(await stage.kubectl('exec', third, '--', 'env', service, ...get), 'world\n');
});

test('kubectl logs shows the log of etcd itself', async () => {
  assert.match(await stage.kubectl('logs', `${name}-1`), /etcd/);
  assert.equal((await stage.kubectl('logs', `${name}-1`, '--tail=1')).trim().split('\n').length, 1);
});
