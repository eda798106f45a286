import { type Command, Option } from 'commander';
import type { Bus } from '../../../libs/bus/bus.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { type ClusterKey, formatKey } from '../../../libs/kube/key.ts';
import { keyFrom, kubeFrom, parseSince } from '../records/arguments.ts';
import { withBus } from '../records/connection.ts';
import { exportRecords } from '../records/export.ts';
import { readRecording } from '../records/file.ts';
import { keyOf } from '../records/keys.ts';
import { followRecords, readRecords } from '../records/live.ts';
import { storyTo } from '../story/show.ts';
import { inOrder } from '../story/story.ts';

interface EventsOptions {
  namespace?: string;
  since?: Date;
  follow?: true;
  json?: true;
  export?: string;
  from?: string;
  kube?: string;
  dir: string;
}

const help = `
Every line of --json is an object with "type" and "time": "change" (of an object in
Kubernetes), "pass" (what one pass saw, decided and did) or "repeats" (passes that did the
same as the one before). docs/debugging.md describes their fields.

The records come from NATS_URL, or from the "quorate up" which runs in this folder; with
--from they come from a file, and nothing else is needed.

Examples:
  quorate events etcd/default/example-etcd-cluster --since 1h
  quorate events example-etcd-cluster --follow
  quorate events example-etcd-cluster --since 2h --export incident.quorate
  quorate events --from incident.quorate`;

/** The pass before the first that is told is wanted too: what the first saw is told as what differs from it. */
const before = (since: Date) => new Date(since.getTime() - 60_000);

/** How long an entry is waited for that belongs before one that is here: a pass is told when it ends. */
const settleMs = 1_000;
const tickMs = 200;

export function addEvents(program: Command): void {
  program
    .command('events')
    .description('tell the story of a cluster: what changed, what was seen, decided and done, and why')
    .argument('[key]', 'the cluster: <engine>/<namespace>/<name>, <engine>/<name> or <name>')
    .option(
      '-n, --namespace <namespace>',
      'the namespace, where the key names none; by default that of the kubeconfig',
    )
    .option('--since <time>', 'from then on, e.g. 30m, 1h, 2d, 2026-01-31T12:00:00Z', (text) =>
      parseSince(text, Date.now()),
    )
    .addOption(new Option('-f, --follow', 'go on telling').conflicts(['from', 'export']))
    .option('--json', 'print a line of JSON for every entry')
    .addOption(
      new Option('--export <file>', 'write the records to a file instead').conflicts(['json', 'from']),
    )
    .option('--from <file>', 'tell from a file that was exported')
    .option('--kube <id>', 'the Kubernetes cluster, as the services name it (default: QUORATE_KUBE or local)')
    .option('--dir <dir>', 'the folder of the run to ask', '.quorate')
    .addHelpText('after', help)
    .action(events);
}

async function events(text: string | undefined, options: EventsOptions, command: Command): Promise<void> {
  const key = text === undefined ? undefined : keyFrom(text, options.namespace);
  if (text !== undefined && key === undefined)
    command.error(`error: "${text}" is no key; use <engine>/<namespace>/<name>`);
  if (options.from !== undefined) return fromFile(options.from, key, options, command);
  if (key === undefined)
    return command.error('error: name a cluster, e.g. etcd/default/example-etcd-cluster');
  await fromBus(key, options);
}

async function fromFile(
  path: string,
  wanted: ClusterKey | undefined,
  options: EventsOptions,
  command: Command,
): Promise<void> {
  const { header, entries } = await readRecording(path);
  const [first, ...others] = header.keys;
  const key = wanted === undefined && others.length === 0 ? first : wanted && formatKey(wanted);
  if (key === undefined || !header.keys.includes(key))
    return command.error(`error: name one of the clusters of ${path}: ${header.keys.join(', ')}`);
  const since = options.since ?? (header.since === null ? undefined : new Date(header.since));
  const kept = header.keptSince === null ? undefined : new Date(header.keptSince);
  const story = storyTo(process.stdout, { key, json: options.json === true, since, kept });
  story.tell(entries.filter((entry) => keyOf(entry) === key));
  story.end();
}

async function fromBus(key: ClusterKey, options: EventsOptions): Promise<void> {
  const kube = kubeFrom(options.kube);
  const { since } = options;
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  const { signal } = stop;
  // Of events the older ones too: they say what the first change of each object changed.
  const wanted = { kube, key, since: since === undefined ? {} : { decisions: before(since) }, signal };
  await withBus(options.dir, signal, async (bus) => {
    const begunAt = new Date();
    const kept = await bus.keptSince('events');
    const records = await readRecords(bus, wanted);
    if (options.export !== undefined)
      return exportRecords(options.export, { kube, key, since, kept, until: begunAt }, records);
    const story = storyTo(process.stdout, { key: formatKey(key), json: options.json === true, since, kept });
    story.tell(records);
    // What was stored while the others were read comes a second time.
    const known = new Set(records.flatMap((entry) => idOf(entry) ?? []));
    const tellNew = (entries: RecordingEntry[]) =>
      story.tell(entries.filter((entry) => !known.has(idOf(entry) ?? '')));
    if (options.follow) await follow(bus, { ...wanted, from: begunAt }, tellNew);
    story.end();
  });
}

/** Names an entry; counts of repeats come again and again, and have no name. */
function idOf(entry: RecordingEntry): string | undefined {
  if ('repeat' in entry) return undefined;
  return 'decision' in entry ? entry.decision.id : entry.event.event.id;
}

/** Tells what comes, a second late, so that what belongs together can be told in order. */
async function follow(
  bus: Bus,
  wanted: Parameters<typeof followRecords>[1] & { from: Date },
  tell: (entries: RecordingEntry[]) => void,
): Promise<void> {
  let waiting: { entry: RecordingEntry; atMs: number }[] = [];
  const tellSettled = (untilMs: number) => {
    const ordered = inOrder(waiting.map(({ entry }) => entry));
    const settled = new Set(waiting.filter(({ atMs }) => atMs < untilMs).map(({ entry }) => entry));
    // With whatever came since and belongs before one of them.
    const told = ordered.slice(0, ordered.findLastIndex((entry) => settled.has(entry)) + 1);
    waiting = waiting.filter(({ entry }) => !told.includes(entry));
    if (told.length > 0) tell(told);
  };
  const timer = setInterval(() => tellSettled(performance.now() - settleMs), tickMs);
  try {
    await followRecords(bus, wanted, wanted.from, (entry) =>
      waiting.push({ entry, atMs: performance.now() }),
    );
  } finally {
    clearInterval(timer);
    tellSettled(Number.POSITIVE_INFINITY);
  }
}
