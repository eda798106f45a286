import { type ProbeTarget, runProbe } from './probe.ts';
import type { ContainerSpec, ProbeSpec } from './spec.ts';

/** What the probes of a container have to say. */
export interface ProbeListener {
  /** The startup probe succeeded (or there is none). */
  started(): void;
  ready(ready: boolean): void;
  /** The startup or the liveness probe failed: the container is to be started again. Called at most once. */
  failed(probe: ProbeSpec): void;
}

/**
 * Runs a container's probes until `signal` is aborted: the startup probe alone, then readiness and liveness. Without a
 * readiness probe a container is ready when it has started.
 */
export async function runProbes(
  { startupProbe, readinessProbe, livenessProbe }: ContainerSpec,
  target: ProbeTarget,
  listener: ProbeListener,
  signal: AbortSignal,
): Promise<void> {
  const verdictOf = async (probe: NonNullable<typeof startupProbe>, awaited: (ok: boolean) => boolean) => {
    const done = new AbortController();
    let verdict: boolean | undefined;
    const onVerdict = (ok: boolean): void => {
      if (!awaited(ok)) return;
      verdict = ok;
      done.abort();
    };
    await runProbe(probe, target, onVerdict, AbortSignal.any([signal, done.signal]));
    return verdict;
  };
  if (startupProbe) {
    const verdict = await verdictOf(startupProbe, () => true);
    if (signal.aborted || verdict === undefined) return;
    if (!verdict) return listener.failed(startupProbe);
  }
  listener.started();
  const readiness = readinessProbe
    ? runProbe(readinessProbe, target, (ok) => listener.ready(ok), signal)
    : listener.ready(true);
  if (livenessProbe && (await verdictOf(livenessProbe, (ok) => !ok)) === false) {
    listener.failed(livenessProbe);
  }
  await readiness;
}
