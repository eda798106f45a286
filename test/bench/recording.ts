import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, connectBus } from '../../libs/bus/bus.ts';
import { type Decision, readDecision } from '../../libs/engine/decision.ts';
import { runPure } from '../../libs/engine/pure.ts';
import { createRecorder } from '../../libs/engine/repeat.ts';
import { openSecrets } from '../../libs/engine/secrets.ts';
import type { Kube } from '../../libs/kube/kube.ts';
import { createLog } from '../../libs/service/log.ts';
import { openHealing } from './members.ts';
import { percentile } from './report.ts';

const idleMs = 60_000;
const minutesOfDay = 24 * 60;
/** As many as `quorate up` starts. */
const workers = 2;

/**
 * What recording costs: the bytes that the streams keep of a day of a cluster at rest, from what a minute adds; and
 * the share of a pass that goes into hiding secrets, guarding the plan, and encoding the record.
 */
export async function measureRecording(options: {
  kube: Kube;
  natsUrl: string;
}): Promise<{ bytesPerDay: number; sharePercent: number }> {
  const stop = new AbortController();
  const { signal } = stop;
  const log = createLog('bench');
  const bus = await connectBus({ url: options.natsUrl, name: 'bench', streams: 'as they are', log, signal });
  try {
    const begun = new Date();
    const cluster = await openHealing(options.kube, 'pod deleted, no claim');
    // What follows a creation, such as the last status, is no rest yet.
    await pause(5_000);
    const since = new Date();
    await pause(idleMs);
    const events = await payloads(bus, 'events', since, signal);
    const decisions = await payloads(bus, 'decisions', since, signal);
    const repeats = await payloads(bus, 'repeats', since, signal);
    if (repeats.length === 0) throw new Error('no pass was counted as a repeat, so nothing was measured');
    const records = await payloads(bus, 'decisions', begun, signal);
    await cluster.close();
    // Each worker counts in one message, and records one pass of the day whole, its first.
    const first = new Map(decisions.map((text) => [readDecision(JSON.parse(text)).worker, text]));
    const added = [...events, ...decisions.filter((text) => ![...first.values()].includes(text))];
    const ofWorkers = workers * (bytes(repeats.slice(-1)) + bytes(records.slice(-1)));
    return {
      bytesPerDay: bytes(added) * minutesOfDay + ofWorkers,
      sharePercent: 100 * shareOf(records.map((text) => readDecision(JSON.parse(text)))),
    };
  } finally {
    stop.abort();
    await bus.close();
  }
}

async function payloads(
  bus: Bus,
  stream: 'events' | 'decisions' | 'repeats',
  since: Date,
  signal: AbortSignal,
) {
  const found: string[] = [];
  for await (const { payload } of bus.read({ stream, since, signal })) found.push(payload);
  return found;
}

const bytes = (texts: string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** The median of the time that recording takes, of the time that the whole pass took. */
function shareOf(decisions: Decision[]): number {
  const recorder = createRecorder();
  const shares = decisions.map((decision) => {
    const { observe, plan, act } = decision.durationMs;
    const startedMs = performance.now();
    const secrets = openSecrets('key of the benchmark');
    secrets.hide(decision.facts);
    secrets.hide(decision.spec);
    secrets.hide(decision.steps);
    runPure(() => undefined);
    new TextEncoder().encode(JSON.stringify(recorder.next(decision)));
    return (performance.now() - startedMs) / (observe + plan + act);
  });
  return percentile(
    shares.filter(Number.isFinite).sort((a, b) => a - b),
    0.5,
  );
}
