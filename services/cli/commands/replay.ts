import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { type ClusterKey, formatKey } from '../../../libs/kube/key.ts';
import { keyFrom, kubeFrom, parseSince } from '../records/arguments.ts';
import { withBus } from '../records/connection.ts';
import { exportRecords } from '../records/export.ts';
import { readRecording } from '../records/file.ts';
import { readRecords } from '../records/live.ts';
import { detailLines, reportLines } from '../replay/lines.ts';
import { findAt, type Result, replayAll } from '../replay/results.ts';
import { paintFor } from '../show/paint.ts';
import { addRedelivery, type RedeliverOptions, redeliverRecords } from './redeliver.ts';

export interface ReplayOptions extends RedeliverOptions {
  namespace?: string;
  since?: Date;
  at?: string;
  step?: true;
  export?: string;
  from?: string;
  kube?: string;
  dir: string;
}

const help = `
What each pass saw is planned once more by the code at hand, as the version of the engine
that recorded it, and compared with what was recorded. Nothing is touched, but with --redeliver
the events wake running workers, whose passes read the present. The records come
from NATS_URL, or from the "quorate up" which runs in this folder; with --from they come
from a file, and nothing else is needed.

Exit code: 0 all equal, 1 something differs, 2 it could not be replayed.

Examples:
  quorate replay etcd/default/example-etcd-cluster --since 2h
  quorate replay example-etcd-cluster --at 2026-01-31T12:00:00Z
  quorate replay example-etcd-cluster --export incident.quorate
  quorate replay --from incident.quorate --step
  quorate replay example-etcd-cluster --redeliver --speed 10`;

const exitCodes = { equal: 0, different: 1, refused: 2 };

export function addReplay(program: Command): Command {
  const command = program
    .command('replay')
    .description('plan once more what was recorded, and show what would be decided differently')
    .argument('[key]', 'the cluster: <engine>/<namespace>/<name>, <engine>/<name> or <name>')
    .option(
      '-n, --namespace <namespace>',
      'the namespace, where the key names none; by default that of the kubeconfig',
    )
    .option('--since <time>', 'from then on, e.g. 30m, 1h, 2d, 2026-01-31T12:00:00Z', (text) =>
      parseSince(text, Date.now()),
    )
    .option('--at <decision or time>', 'show one pass whole, by its id or the last at a time')
    .addOption(new Option('--step', 'walk from pass to pass').conflicts('at'))
    .addOption(
      new Option('--export <file>', 'write the records to a file instead').conflicts(['from', 'at', 'step']),
    )
    .option('--from <file>', 'replay a file that was exported')
    .option('--kube <id>', 'the Kubernetes cluster, as the services name it (default: QUORATE_KUBE or local)')
    .option('--dir <dir>', 'the folder of the run to ask', '.quorate')
    .addHelpText('after', help)
    .action(replay);
  return addRedelivery(command);
}

async function replay(text: string | undefined, options: ReplayOptions, command: Command): Promise<void> {
  process.exitCode = exitCodes.refused;
  const key = text === undefined ? undefined : keyFrom(text, options.namespace);
  if (text !== undefined && key === undefined)
    command.error(`error: "${text}" is no key; use <engine>/<namespace>/<name>`);
  if (options.redeliver) {
    if ((key === undefined) !== (options.all === true))
      return command.error('error: with --redeliver, name a cluster or say --all');
    await redeliverRecords(key, options);
    process.exitCode = exitCodes.equal;
    return;
  }
  if (key === undefined && options.from === undefined)
    return command.error('error: name a cluster, e.g. etcd/default/example-etcd-cluster');
  const entries = await (options.from === undefined
    ? fromBus(key, options)
    : fromFile(options.from, key, options));
  if (entries === undefined) return;
  const decisions = entries.flatMap((entry) => ('decision' in entry ? [entry.decision] : []));
  const repeats = entries.flatMap((entry) => ('repeat' in entry ? [entry.repeat] : []));
  if (decisions.length === 0) return;
  const results = replayAll(decisions);
  const print = (lines: string[]) => console.log(lines.join('\n'));
  const paint = paintFor(process.stdout);
  let seen = results;
  if (options.at !== undefined) {
    const found = findAt(results, options.at);
    if (found === undefined) return command.error(`error: there is no one pass at "${options.at}"`);
    print(detailLines(found, paint, true));
    seen = [found];
  } else if (options.step) seen = await walk(results);
  else print(reportLines(results, repeats, paint));
  const isDifferent = seen.some(({ replayed }) => replayed.outcome === 'different');
  process.exitCode = isDifferent ? exitCodes.different : exitCodes.equal;
}

/** Shows one pass after the other; returns those that were shown. */
async function walk(results: Result[]): Promise<Result[]> {
  const paint = paintFor(process.stdout);
  const input = createInterface({ input: process.stdin, output: process.stdout });
  const answers = input[Symbol.asyncIterator]();
  const seen: Result[] = [];
  try {
    for (const [index, result] of results.entries()) {
      seen.push(result);
      console.log(detailLines(result, paint, false).join('\n'));
      for (let isNext = index === results.length - 1; !isNext; ) {
        input.setPrompt(
          paint('dim', `${index + 1} of ${results.length}: Enter for the next, f for its facts, q to end > `),
        );
        input.prompt();
        const { value, done } = await answers.next();
        if (done || value.trim() === 'q') return seen;
        if (value.trim() === 'f') console.log(detailLines(result, paint, true).join('\n'));
        else isNext = true;
      }
    }
    return seen;
  } finally {
    input.close();
  }
}

/** The records in a file; `undefined`, with the reason told, where there are none to replay. */
async function fromFile(path: string, key: ClusterKey | undefined, { since }: ReplayOptions) {
  const { header, entries } = await readRecording(path);
  const wanted = entries.filter((entry) => {
    if (!('decision' in entry))
      return 'repeat' in entry && (key === undefined || entry.repeat.key === formatKey(key));
    const { key: of, time } = entry.decision;
    return (
      (key === undefined || of === formatKey(key)) &&
      (since === undefined || Date.parse(time) >= since.getTime())
    );
  });
  if (wanted.some((entry) => 'decision' in entry)) return wanted;
  console.error(
    `${path} holds no passes${key ? ` of ${formatKey(key)}` : ''}; it is about ${header.keys.join(', ')} from ${header.since ?? header.keptSince ?? 'the beginning'} until ${header.until}.`,
  );
  return undefined;
}

/** As `fromFile`; also `undefined` where they were written to a file. */
async function fromBus(
  key: ClusterKey | undefined,
  options: ReplayOptions,
): Promise<RecordingEntry[] | undefined> {
  if (key === undefined) return undefined;
  const kube = kubeFrom(options.kube);
  const { since } = options;
  const signal = AbortSignal.timeout(readTimeoutMs);
  return withBus(options.dir, signal, async (bus) => {
    const until = new Date();
    const kept = await bus.keptSince('decisions');
    const about = { kube, key, since, kept, until };
    const entries = await readRecords(bus, {
      kube,
      key,
      since: since === undefined ? {} : { decisions: since },
      signal,
    });
    if (!entries.some((entry) => 'decision' in entry)) {
      const asked = since === undefined ? '' : ` since ${since.toISOString()}`;
      const begin =
        kept === undefined
          ? 'No decision record at all is kept.'
          : `What is kept begins at ${kept.toISOString()}.`;
      console.error(`No pass of ${formatKey(key)} is recorded${asked}. ${begin}`);
      return undefined;
    }
    if (options.export === undefined) return entries;
    await exportRecords(options.export, about, entries);
    process.exitCode = exitCodes.equal;
    return undefined;
  });
}

/** A month of a busy cluster is read in seconds. */
const readTimeoutMs = 10 * 60_000;
