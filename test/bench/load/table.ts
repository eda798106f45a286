import { type Round, waiting } from './round.ts';

const titleWidth = 46;
const cellWidth = 9;

const line = (title: string, values: string[], note = ''): string =>
  `${title.padEnd(titleWidth)}${values.map((value) => value.padStart(cellWidth)).join('')}${note && `  ${note}`}`;

type Row = (
  title: string,
  digits: number,
  value: (round: Round) => number | undefined,
  note?: string,
) => string;

const rowOf =
  (rounds: readonly Round[]): Row =>
  (title, digits, value, note) =>
    line(
      title,
      rounds.map((round) => value(round)?.toFixed(digits) ?? ''),
      note,
    );

/** The rounds of one number of clusters side by side, with what is wanted. */
export function tableOf(rounds: readonly Round[]): string[] {
  const row = rowOf(rounds);
  const parts = [...new Set(rounds.flatMap(({ memory }) => [...memory.keys()]))];
  const users = [...new Set(rounds.flatMap(({ cpuMs }) => [...cpuMs.keys()]))];
  const sumOf = (values: Map<string, number>) => [...values.values()].reduce((sum, value) => sum + value, 0);
  return [
    line(
      `${rounds[0]?.clusters.toLocaleString('en')} clusters, workers`,
      rounds.map(({ workers }) => String(workers)),
    ),
    row('passes a second', 0, (round) => round.passesPerSecond),
    ...waitingOf(rounds),
    ...(rounds[0]?.delays ?? []).flatMap(({ wantedPerSecond }, index) => [
      line(`at ${wantedPerSecond} events a second`, []),
      row('  event → pass start, p50, ms', 0, ({ delays }) => delays[index]?.p50),
      row('  event → pass start, p99, ms', 0, ({ delays }) => delays[index]?.p99, 'wanted: at most 20'),
      row('  events a second that were made', 0, ({ delays }) => delays[index]?.perSecond),
      row('  of them named by a pass, %', 0, ({ delays }) => (delays[index]?.namedShare ?? 0) * 100),
    ]),
    row('  processor time, ms an event', 2, ({ cpuMs }) => sumOf(cpuMs)),
    ...users.map((user) => row(`    of ${user}`, 2, ({ cpuMs }) => cpuMs.get(user) ?? 0)),
    row('API requests, an hour, a cluster at rest', 1, (round) => round.idleRequests, 'wanted: at most 12'),
    ...parts.map((part) => row(`memory of ${part}, MiB`, 0, ({ memory }) => memory.get(part) ?? 0)),
    row('connections of workers to Redis', 0, ({ connections }) => connections.redis),
    row('connections of workers to NATS', 0, ({ connections }) => connections.nats),
    row('load average of the machine', 1, ({ load }) => load),
  ];
}

/** How passes that wait scale with workers, where that was measured. */
function waitingOf(rounds: readonly Round[]): string[] {
  const [least] = rounds;
  if (least?.waitingPassesPerSecond === undefined) return [];
  const ofEach = (round: Round) => (round.waitingPassesPerSecond ?? Number.NaN) / round.workers;
  const row = rowOf(rounds);
  return [
    row(
      `passes that wait ${waiting.answerMs} ms, ${waiting.concurrency} at once, a second`,
      1,
      (round) => round.waitingPassesPerSecond,
    ),
    row(
      '  of what one worker does, for each',
      2,
      (round) => ofEach(round) / ofEach(least),
      'wanted: at least 0.9',
    ),
  ];
}

/** How much more memory a worker takes with the most clusters than with the fewest. */
export function growthOf(rounds: readonly Round[]): string[] {
  const sizes = rounds.map(({ clusters }) => clusters);
  const [fewest, most] = [Math.min(...sizes), Math.max(...sizes)];
  if (fewest === most) return [];
  const counts = [...new Set(rounds.map(({ workers }) => workers))];
  const workerMemory = (clusters: number, workers: number) =>
    rounds.find((round) => round.clusters === clusters && round.workers === workers)?.memory.get('worker') ??
    Number.NaN;
  return [
    line(
      `memory of a worker, ${fewest.toLocaleString('en')} → ${most.toLocaleString('en')} clusters, %`,
      counts.map((workers) => {
        const percent = (workerMemory(most, workers) / workerMemory(fewest, workers) - 1) * 100;
        return Number.isNaN(percent) ? '' : `${percent < 0 ? '' : '+'}${percent.toFixed(0)}`;
      }),
      'wanted: at most 10',
    ),
  ];
}
