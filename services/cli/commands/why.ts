import type { Command } from 'commander';
import type { Bus } from '../../../libs/bus/bus.ts';
import { objectFilter, parseEventSubject } from '../../../libs/bus/subjects.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { QuorateError } from '../../../libs/errors/catalogue.ts';
import { type ClusterKey, formatKey, parseKey } from '../../../libs/kube/key.ts';
import { keyFrom, kubeFrom, namespaceFrom } from '../records/arguments.ts';
import { withBus } from '../records/connection.ts';
import { readRecording } from '../records/file.ts';
import { keyOf, keyOfSubject } from '../records/keys.ts';
import { readRecords } from '../records/live.ts';
import { paintFor } from '../show/paint.ts';
import { historyOf } from '../story/history.ts';
import { pluralOf, shownName } from '../story/objects.ts';
import { answerLines } from '../story/tree.ts';
import { toldOnce, whyCondition, whyObject } from '../story/why.ts';

interface WhyOptions {
  namespace?: string;
  json?: true;
  from?: string;
  kube?: string;
  dir: string;
}

const help = `
It goes back from what there is to what led to it: the step that did it, the pass that
decided it, what that pass saw, and so on back to what no pass did.

The records come from NATS_URL, or from the "quorate up" which runs in this folder; with
--from they come from a file that "quorate events --export" wrote.

Examples:
  quorate why pod/example-etcd-cluster-4
  quorate why pvc/my-etcd-2 --namespace prod
  quorate why condition/Available etcd/example-etcd-cluster`;

export function addWhy(program: Command): void {
  program
    .command('why')
    .description('say why an object or a condition is as it is')
    .argument('<thing>', 'pod/<name>, pvc/<name>, service/<name>, pdb/<name>, or condition/<type>')
    .argument(
      '[cluster]',
      'of a condition, the cluster: <engine>/<namespace>/<name>, <engine>/<name> or <name>',
    )
    .option('-n, --namespace <namespace>', 'the namespace; by default that of the kubeconfig')
    .option('--json', 'print the chain as JSON')
    .option('--from <file>', 'answer from a file that was exported')
    .option('--kube <id>', 'the Kubernetes cluster, as the services name it (default: QUORATE_KUBE or local)')
    .option('--dir <dir>', 'the folder of the run to ask', '.quorate')
    .addHelpText('after', help)
    .action(why);
}

async function why(
  thing: string,
  cluster: string | undefined,
  options: WhyOptions,
  command: Command,
): Promise<void> {
  const [kind = '', name = '', ...rest] = thing.split('/');
  const resource = pluralOf(kind.toLowerCase());
  const isCondition = kind === 'condition';
  if (name === '' || rest.length > 0 || (resource === undefined && !isCondition))
    return command.error(`error: "${thing}" is no pod/…, pvc/…, service/…, pdb/… or condition/…`);
  const key = cluster === undefined ? undefined : keyFrom(cluster, options.namespace);
  if ((cluster !== undefined || isCondition) && key === undefined)
    return command.error('error: name the cluster of the condition, e.g. etcd/example-etcd-cluster');

  const wanted = { key, namespace: options.namespace, resource: resource ?? '', name };
  const { of, records } =
    options.from === undefined ? await fromBus(wanted, options) : await fromFile(options.from, wanted);
  const history = historyOf(of.name, records);
  const answer = toldOnce(
    isCondition ? whyCondition(history, name) : whyObject(history, shownName(resource ?? '', name)),
  );
  if (options.json) return console.log(JSON.stringify({ cluster: formatKey(of), ...answer }, undefined, 2));
  const lines = answerLines(answer, paintFor(process.stdout));
  console.log(
    lines.length > 0 ? lines.join('\n') : `Nothing that is kept tells of ${thing} of ${formatKey(of)}.`,
  );
}

/** What is asked about: a thing of that kind and name, of the cluster where one is named. */
interface Wanted {
  key: ClusterKey | undefined;
  namespace: string | undefined;
  /** As in API paths; empty for a condition. */
  resource: string;
  name: string;
}

interface Found {
  of: ClusterKey;
  records: RecordingEntry[];
}

async function fromBus(wanted: Wanted, options: WhyOptions): Promise<Found> {
  const { signal } = new AbortController();
  const kube = kubeFrom(options.kube);
  return withBus(options.dir, signal, async (bus) => {
    const of = wanted.key ?? onlyKey(await keysOf(bus, kube, wanted, signal), wanted);
    return { of, records: await readRecords(bus, { kube, key: of, signal }) };
  });
}

async function keysOf(bus: Bus, kube: string, wanted: Wanted, signal: AbortSignal): Promise<string[]> {
  const { resource, name } = wanted;
  const keys: string[] = [];
  const filter = objectFilter(kube, namespaceFrom(wanted.namespace), resource, name);
  for await (const { subject } of bus.read({ stream: 'events', filter, signal }))
    keys.push(keyOfSubject(subject) ?? '');
  return keys;
}

async function fromFile(path: string, wanted: Wanted): Promise<Found> {
  const { entries } = await readRecording(path);
  const { namespace, resource, name } = wanted;
  const keys = entries.flatMap((entry) => {
    const parts = 'event' in entry ? parseEventSubject(entry.event.subject) : undefined;
    const isIt = parts?.resource === resource && parts.object === name;
    if (namespace !== undefined && parts?.namespace !== namespace) return [];
    return isIt ? (keyOf(entry) ?? []) : [];
  });
  const of = wanted.key ?? onlyKey(keys, wanted);
  return { of, records: entries.filter((entry) => keyOf(entry) === formatKey(of)) };
}

function onlyKey(found: string[], { namespace, resource, name }: Wanted): ClusterKey {
  const keys = [...new Set(found)].sort();
  const key = parseKey(keys[0] ?? '');
  const thing = shownName(resource, name) + (namespace === undefined ? '' : ` in ${namespace}`);
  if (key === undefined) throw new QuorateError('NOT_RECORDED', thing);
  if (keys.length > 1)
    throw new QuorateError('NOT_RECORDED', `${thing} is of several: ${keys.join(', ')}; name one`);
  return key;
}
