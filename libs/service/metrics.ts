import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { version } from './version.ts';

/** The metrics of one process: those of the process itself, and what runs in it. Services add their own. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'quorate_build_info',
    help: 'Always 1; says which service in which version runs on which Node',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ service, version, node: process.version }, 1);
  return registry;
}

/** A metric of the messages that this process has put aside, which `count` tells. */
export function countDeadLetters(registry: Registry, count: () => number): void {
  toldBy(registry, count, {
    name: 'quorate_dead_letters_total',
    help: 'Messages that could not be used and were put aside in the stream DEAD',
  });
}

/** A metric of the messages of a stream that came to this process again, which `count` tells. */
export function countRedeliveries(registry: Registry, count: () => number): void {
  toldBy(registry, count, {
    name: 'quorate_redeliveries_total',
    help: 'Messages that NATS gave out again, events to a worker or decision records to the observer, because nobody had acknowledged them',
  });
}

/** A counter whose number is kept elsewhere. */
function toldBy(registry: Registry, count: () => number, about: { name: string; help: string }): void {
  new Counter({
    ...about,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(count());
    },
  });
}

/** The seconds from a moment until now; 0 where another machine's clock says that it is yet to come. */
export const secondsSince = (atMs: number): number => Math.max(0, Date.now() - atMs) / 1000;

/** How long the API of a kube may take to answer before it counts as one that does not. */
const answerWithinMs = 2000;

/** A metric of the kubes that are served: whether their API answers. */
export function tellKubes(
  registry: Registry,
  kubes: ReadonlyMap<string, { answers(signal: AbortSignal): Promise<boolean> }>,
): void {
  new Gauge({
    name: 'quorate_kube_answers',
    help: 'Whether the API of a kube answers and takes our credentials, 1 or 0; of each kube that is looked after',
    labelNames: ['kube'],
    registers: [registry],
    async collect() {
      const asked = [...kubes].map(async ([kube, { answers }]) => {
        const isAnswered = await answers(AbortSignal.timeout(answerWithinMs)).catch(() => false);
        return [kube, isAnswered] as const;
      });
      const told = await Promise.all(asked);
      this.reset();
      for (const [kube, isAnswered] of told) this.set({ kube }, isAnswered ? 1 : 0);
    },
  });
}
