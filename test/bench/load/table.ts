import { type Round, waiting } from './round.ts';

const titleWidth = 46;
const cellWidth = 9;

const line = (title: string, values: string[], note = ''): string =>
  `${title.padEnd(titleWidth)}${values.map((value) => value.padStart(cellWidth)).join('')}${note && `  ${note}`}`;

/** The rounds of one number of clusters side by side, with what is wanted. */
export function tableOf(rounds: readonly Round[]): string[] {
  const row = (title: string, digits: number, value: (round: Round) => number, note?: string) =>
    line(
      title,
      rounds.map((round) => value(round).toFixed(digits)),
      note,
    );
  const parts = [...new Set(rounds.flatMap(({ memory }) => [...memory.keys()]))];
  const users = [...new Set(rounds.flatMap(({ cpuMs }) => [...cpuMs.keys()]))];
  const single = rounds[0]?.waitingPassesPerSecond ?? Number.NaN;
  const least = rounds[0]?.workers ?? 1;
  return [
    line(
      `${rounds[0]?.clusters.toLocaleString('en')} clusters, workers`,
      rounds.map(({ workers }) => String(workers)),
    ),
    row('passes a second', 0, (round) => round.passesPerSecond),
    row(
      `passes that wait ${waiting.answerMs} ms, ${waiting.concurrency} at once, a second`,
      1,
      (round) => round.waitingPassesPerSecond,
    ),
    row(
      '  of what one worker does, for each',
      2,
      (round) => (round.waitingPassesPerSecond * least) / single / round.workers,
      'wanted: at least 0.9',
    ),
    row('event → pass start, p50, ms', 0, ({ delays }) => delays.p50),
    row('event → pass start, p99, ms', 0, ({ delays }) => delays.p99, 'wanted: at most 20'),
    row('  events a second', 0, ({ delays }) => delays.perSecond),
    row('  of them named by a pass, %', 0, ({ delays }) => delays.namedShare * 100),
    ...users.map((user) =>
      row(`  processor time of ${user}, ms an event`, 2, ({ cpuMs }) => cpuMs.get(user) ?? 0),
    ),
    row('API requests, an hour, a cluster at rest', 1, (round) => round.idleRequests, 'wanted: at most 12'),
    ...parts.map((part) => row(`memory of ${part}, MiB`, 0, ({ memory }) => memory.get(part) ?? 0)),
    row('connections of workers to Redis', 0, ({ connections }) => connections.redis),
    row('connections of workers to NATS', 0, ({ connections }) => connections.nats),
    row('load average of the machine', 1, ({ load }) => load),
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
        return `${percent < 0 ? '' : '+'}${percent.toFixed(0)}`;
      }),
      'wanted: at most 10',
    ),
  ];
}
