import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Bus } from '../../libs/bus/bus.ts';
import type { EventEnvelope } from '../../libs/bus/envelope.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import type { Tasks } from '../../libs/queue/tasks.ts';
import { countDeadLetters, countRedeliveries, secondsSince } from '../../libs/service/metrics.ts';

/** What counts the things that happen in a worker for one kube. */
export interface KubeMetrics {
  /** The task that an event asks for is stored. */
  event(event: EventEnvelope): void;
  /** A pass has ended, with this record. */
  pass(decision: Decision): void;
  /** A cluster of this engine was looked at in place of a pass. */
  look(engine: string, outcome: 'same' | 'changed'): void;
  /** Counts the runs of this kube's tasks that were cut off, which `count` tells. */
  cutOff(count: () => number): void;
  /** Nothing more will happen, and the queue is not asked any more. */
  end(): void;
}

/** The metrics of events, of the queue that they fill, and of the passes that empty it. */
export function workerMetrics(
  registry: Registry,
  bus: Pick<Bus, 'buriedCount' | 'redeliveredCount'>,
): (kube: string, tasks: Tasks) => KubeMetrics {
  const registers = [registry];
  const queues = new Map<string, Tasks>();
  const cutOffs = new Map<string, () => number>();
  countDeadLetters(registry, bus.buriedCount);
  countRedeliveries(registry, bus.redeliveredCount);
  const lag = new Histogram({
    name: 'quorate_event_lag_seconds',
    help: 'How long after the watcher had seen a change the task of its cluster was stored',
    labelNames: ['kube'],
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
    registers,
  });
  const passes = new Histogram({
    name: 'quorate_pass_duration_seconds',
    help: 'How long passes took, by kube, engine and reason: the situation found, or the code of the error that ended the pass',
    labelNames: ['kube', 'engine', 'reason'],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const steps = new Counter({
    name: 'quorate_steps_total',
    help: 'Steps of plans, by kube, engine, step and outcome',
    labelNames: ['kube', 'engine', 'step', 'outcome'],
    registers,
  });
  const looks = new Counter({
    name: 'quorate_looks_total',
    help: 'Looks at clusters at rest, by kube, engine and outcome: same, or changed, which leads to a pass',
    labelNames: ['kube', 'engine', 'outcome'],
    registers,
  });
  new Gauge({
    name: 'quorate_tasks',
    help: 'Clusters in the queue of a kube, by state: waiting, running, delayed; the same from every worker',
    labelNames: ['kube', 'state'],
    registers,
    collect() {
      this.reset();
      return eachQueue(async (kube, tasks) => {
        const counts = await tasks.counts();
        for (const [state, count] of Object.entries(counts)) this.set({ kube, state }, count);
      });
    },
  });
  new Gauge({
    name: 'quorate_task_age_seconds',
    help: 'How long the next task in the queue of a kube has waited for a worker, 0 where none waits; the same from every worker',
    labelNames: ['kube'],
    registers,
    collect() {
      this.reset();
      return eachQueue(async (kube, tasks) => this.set({ kube }, (await tasks.longestWaitMs()) / 1000));
    },
  });
  new Counter({
    name: 'quorate_lock_losses_total',
    help: 'Passes that were cut off, by kube, because the lock of their task was lost or could no longer be trusted; the task runs again',
    labelNames: ['kube'],
    registers,
    collect() {
      this.reset();
      for (const [kube, count] of cutOffs) this.inc({ kube }, count());
    },
  });

  async function eachQueue(ask: (kube: string, tasks: Tasks) => Promise<void>): Promise<void> {
    await Promise.all(
      [...queues].map(([kube, tasks]) =>
        ask(kube, tasks).catch(() => {
          // While Redis is away nobody knows, and no number says that better than an old one.
        }),
      ),
    );
  }

  return (kube, tasks) => {
    queues.set(kube, tasks);
    return {
      event({ time, redeliveryof }) {
        // One that a person has repeated is as old as it is.
        if (redeliveryof === undefined) lag.observe({ kube }, secondsSince(Date.parse(time)));
      },
      pass({ engine: { name: engine }, plan, error, durationMs, steps: done }) {
        const { observe, plan: planning, act } = durationMs;
        const reason = error?.code ?? plan?.reason ?? 'none';
        passes.observe({ kube, engine, reason }, (observe + planning + act) / 1000);
        for (const { step, outcome } of done) steps.inc({ kube, engine, step, outcome });
      },
      look: (engine, outcome) => looks.inc({ kube, engine, outcome }),
      cutOff: (count) => void cutOffs.set(kube, count),
      end() {
        queues.delete(kube);
        cutOffs.delete(kube);
      },
    };
  };
}
