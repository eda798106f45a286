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
  new Counter({
    name: 'quorate_dead_letters_total',
    help: 'Messages that could not be used and were put aside in the stream DEAD',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(count());
    },
  });
}
