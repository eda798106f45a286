import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Bus } from '../../libs/bus/bus.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import type { Tasks } from '../../libs/queue/tasks.ts';
import { countDeadLetters } from '../../libs/service/metrics.ts';

/** The metrics of passes and of the queue that they come from. Returns what counts one pass, by its record. */
export function workerMetrics(
  registry: Registry,
  { kube, tasks, bus }: { kube: string; tasks: Tasks; bus: Bus },
): (decision: Decision) => void {
  const registers = [registry];
  countDeadLetters(registry, bus.buriedCount);
  const passes = new Histogram({
    name: 'quorate_pass_duration_seconds',
    help: 'How long passes took, by engine and by reason: the situation found, or the code of the error that ended the pass',
    labelNames: ['engine', 'reason'],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const steps = new Counter({
    name: 'quorate_steps_total',
    help: 'Steps of plans, by engine, step and outcome',
    labelNames: ['engine', 'step', 'outcome'],
    registers,
  });
  new Gauge({
    name: 'quorate_tasks',
    help: 'Clusters in the queue of a kube, by state: waiting, running, delayed; the same from every worker',
    labelNames: ['kube', 'state'],
    registers,
    async collect() {
      this.reset();
      try {
        const counts = await tasks.counts();
        for (const [state, count] of Object.entries(counts)) this.set({ kube, state }, count);
      } catch {
        // While Redis is away nobody knows, and no number says that better than an old one.
      }
    },
  });
  return ({ engine: { name: engine }, plan, error, durationMs, steps: done }) => {
    const { observe, plan: planning, act } = durationMs;
    const reason = error?.code ?? plan?.reason ?? 'none';
    passes.observe({ engine, reason }, (observe + planning + act) / 1000);
    for (const { step, outcome } of done) steps.inc({ engine, step, outcome });
  };
}
