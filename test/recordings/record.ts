import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { withBus } from '../../services/cli/records/connection.ts';
import { writeRecording } from '../../services/cli/records/file.ts';
import { readRecords } from '../../services/cli/records/live.ts';
import { findPrograms } from '../../services/cli/toolchain/find.ts';
import { until } from '../wait.ts';

/**
 * `node test/recordings/record.ts FILE` makes a recording for this folder: with KUBECONFIG and NATS_URL of a running
 * Quorate, of whatever version, one cluster is made, scaled, hurt, edited badly and deleted. Another recording is due
 * with every new format and every new version of an engine, from the code as it is then.
 */
const file = process.argv[2] ?? 'recording.gz';
const name = 'recorded';
const key = { engine: 'etcd', namespace: 'default', name };
const { paths } = await findPrograms(['kubectl']);

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(paths.kubectl ?? 'kubectl', args);
  return stdout;
}

interface Seen {
  status?: {
    phase?: string;
    readyMembers?: number;
    size?: number;
    conditions?: { type: string; status: string }[];
  };
}

async function settled(size: number): Promise<void> {
  await until(
    `${size} members`,
    async () => {
      const { status } = JSON.parse(await kubectl('get', 'etcd', name, '-o', 'json')) as Seen;
      const isBusy = status?.conditions?.some(
        ({ type, status: holds }) => /Scaling|Recovering/.test(type) && holds === 'True',
      );
      const pods = await podNames();
      return (
        status?.phase === 'Running' &&
        status.readyMembers === size &&
        status.size === size &&
        pods.length === size &&
        !isBusy
      );
    },
    180_000,
  );
}

const podNames = async () =>
  (await kubectl('get', 'pods', '-l', `etcd_cluster=${name}`, '-o', 'name')).split('\n').filter(Boolean);

async function blocked(wanted: string): Promise<void> {
  const path = '{.status.conditions[?(@.type=="Blocked")].status}';
  await until(
    `Blocked ${wanted}`,
    async () => (await kubectl('get', 'etcd', name, '-o', `jsonpath=${path}`)) === wanted,
    60_000,
  );
}

const patch = (spec: object) =>
  kubectl('patch', 'etcd', name, '--type', 'merge', '-p', JSON.stringify({ spec }));

const since = new Date();
const manifest = {
  apiVersion: 'etcd.database.coreos.com/v1beta2',
  kind: 'EtcdCluster',
  metadata: { name },
  spec: { size: 1, version: '3.4.23', pod: { etcdEnv: [{ name: 'ETCD_SNAPSHOT_COUNT', value: '100000' }] } },
};
const crd = 'crd/etcdclusters.etcd.database.coreos.com';
const isServed = () =>
  kubectl('wait', '--for=condition=Established', '--timeout=5s', crd).then(
    () => true,
    () => false,
  );
await until('the kind is served', isServed, 60_000);
const applying = promisify(execFile)(paths.kubectl ?? 'kubectl', ['apply', '-f', '-']);
applying.child.stdin?.end(JSON.stringify(manifest));
await applying;
await settled(1);
await patch({ size: 3 });
await settled(3);
const [, victim = ''] = await podNames();
await kubectl('delete', victim, '--wait=false');
await until('it has gone', async () => !(await podNames()).includes(victim), 60_000);
await settled(3);
await patch({ pod: { labels: { app: 'mine' } } });
await blocked('True');
await patch({ pod: { labels: null } });
await blocked('False');
await patch({ size: 2 });
await settled(2);
await kubectl('delete', 'etcd', name);
await until('all of it is gone', async () => (await podNames()).length === 0, 60_000);

await withBus('.', AbortSignal.timeout(60_000), async (bus) => {
  const read = () =>
    readRecords(bus, {
      kube: 'local',
      key,
      since: { events: since, decisions: since },
      signal: AbortSignal.timeout(30_000),
    });
  // The last look at a cluster that is gone comes after everything else.
  await until('the last pass is recorded', async () =>
    (await read()).some(
      (entry) =>
        'decision' in entry && entry.decision.plan?.reason === 'Deleted' && entry.decision.steps.length === 0,
    ),
  );
  const entries = await read();
  await writeRecording(
    file,
    {
      kube: 'local',
      keys: [`etcd/default/${name}`],
      since: since.toISOString(),
      until: new Date().toISOString(),
      keptSince: since.toISOString(),
    },
    entries,
  );
  console.log(`${basename(file)}: ${entries.length} records`);
});
