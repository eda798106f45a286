/** The parts of a running Quorate, and the servers they use. */
export type Component = 'watcher' | 'worker' | 'observer' | 'nats' | 'redis';

export const services = ['watcher', 'worker', 'observer'] as const satisfies Component[];
export const servers = ['nats', 'redis'] as const satisfies Component[];

/** All processes of a component, or that of one instance, counted from 1. */
export interface Target {
  component: Component;
  instance?: number;
}

/** A line of a service's log. */
export interface ServiceLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** Quorate itself, wherever it runs: on this machine or in the cluster. */
export interface Operator {
  readonly natsUrl: string;
  readonly redisUrl: string;
  /** Ends processes as a crash does; whoever keeps them running starts them again soon. What is down stays down. */
  crash(targets: readonly Target[]): Promise<void>;
  /** Ends all processes of a component, a server's as a crash does, and keeps them down. */
  stop(component: Component): Promise<void>;
  /** Starts them again; a server that answers when this resolves. */
  start(component: Component): Promise<void>;
  /**
   * Takes a server away as a crash does. What this returns brings it back, with what it had stored or with nothing,
   * and resolves when it answers.
   */
  takeAway(server: 'nats' | 'redis', store: 'kept' | 'lost'): Promise<() => Promise<void>>;
  /** By the name of each process of these components that runs, what no later process of that name has. */
  lives(components: readonly Component[]): Promise<Record<string, string>>;
  /** Where the component's processes tell their metrics, those that do. */
  metricsUrls(component: Component): Promise<string[]>;
  /** All that the component's processes have logged, by the name of each that runs. */
  wholeLog(component: Component): Promise<Map<string, ServiceLine[]>>;
  /** Returns how to read what the component logs from now on, by the name of each process. */
  logFromNow(component: Component): Promise<() => Promise<Map<string, ServiceLine[]>>>;
}

/** Those of a component's processes, in their order, that a target means. */
export const chosen = <Process>({ instance }: Target, processes: Process[]): Process[] =>
  instance === undefined ? processes : processes.slice(instance - 1, instance);

/** The lines of a JSON log; a last one that is not whole yet is left out. */
export function parseLog(text: string): ServiceLine[] {
  const end = text.lastIndexOf('\n');
  const lines = text.slice(0, end + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ServiceLine);
}
