import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { QuorateError } from '../../../libs/errors/catalogue.ts';
import { type ClusterKey, formatKey } from '../../../libs/kube/key.ts';
import { kubeFrom } from '../records/arguments.ts';
import { withBus } from '../records/connection.ts';
import { readRecording } from '../records/file.ts';
import { keyOf } from '../records/keys.ts';
import { readRecords } from '../records/live.ts';
import { redeliver } from '../replay/redeliver.ts';

/** The options of `quorate replay` that are about delivering events again. */
export interface RedeliverOptions {
  redeliver?: true;
  all?: true;
  speed: number;
  step?: true;
  since?: Date;
  from?: string;
  kube?: string;
  dir: string;
}

/** Adds them to the command. */
export function addRedelivery(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--redeliver',
        'put the recorded events through the running workers again, at their pace; with --step one by one',
      ).conflicts(['at', 'export']),
    )
    .option('--all', 'with --redeliver: those of every cluster')
    .option('--speed <factor>', 'with --redeliver: how many times as fast as they happened', parseSpeed, 1);
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed > 0 && speed <= 1_000_000)) throw new InvalidArgumentError('Use a number above 0, e.g. 10.');
  return speed;
}

/** Delivers the events of a cluster, or of all where there is no key, to the workers of the bus at hand. */
export async function redeliverRecords(
  key: ClusterKey | undefined,
  options: RedeliverOptions,
): Promise<void> {
  const { since, from, speed, step = false } = options;
  const kube = kubeFrom(options.kube);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  const { signal } = stop;
  await withBus(options.dir, signal, async (bus) => {
    const wanted = { kube, ...(key && { key }), signal };
    const records = from === undefined ? await readRecords(bus, wanted) : (await readRecording(from)).entries;
    const chosen = records.filter((record) => isChosen(record, key, since));
    if (chosen.length === 0)
      throw new QuorateError('NOT_RECORDED', `no event${key ? ` of ${formatKey(key)}` : ''}`);
    const say = (line: string) => console.log(line);
    const count = await redeliver(bus, chosen, { kube, speed, step, say, signal });
    console.log(`${count} of ${chosen.length} events were delivered again.`);
  });
}

function isChosen(record: RecordingEntry, key: ClusterKey | undefined, since: Date | undefined): boolean {
  if (!('event' in record) || 'redeliveryof' in record.event.event) return false;
  const isOf = key === undefined || keyOf(record) === formatKey(key);
  return isOf && (since === undefined || Date.parse(record.event.event.time) >= since.getTime());
}
