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
/** Long enough for the pass that confirms that a cluster is at rest. */
const settleMs = 15_000;
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
    await pause(settleMs);
    const since = new Date();
    await pause(idleMs);
    const events = await payloads(bus, 'events', since, signal);
    const decisions = await payloads(bus, 'decisions', since, signal);
    const texts = await payloads(bus, 'decisions', begun, signal);
    await cluster.close();
    const records = texts.map((text) => readDecision(JSON.parse(text)));
    const last = records.at(-1);
    if (last === undefined) throw new Error('no pass was recorded, so nothing was measured');
    // Of the few passes of a day each worker records one whole, its first, and counts the others in one message.
    const ofWorkers = workers * bytes([JSON.stringify(last), JSON.stringify(repeatOf(last))]);
    return {
      bytesPerDay: bytes([...events, ...decisions]) * minutesOfDay + ofWorkers,
      sharePercent: 100 * shareOf(records),
    };
  } finally {
    stop.abort();
    await bus.close();
  }
}

/** How a pass that finds the same again is told, where nothing had woken it. */
function repeatOf(decision: Decision): object {
  const recorder = createRecorder();
  const quiet = { ...decision, wokenBy: [], steps: [] };
  recorder.next(quiet);
  return recorder.next(quiet);
}

async function payloads(bus: Bus, stream: 'events' | 'decisions', since: Date, signal: AbortSignal) {
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
