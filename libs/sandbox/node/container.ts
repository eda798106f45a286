import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors/catalogue.ts';
import { timestamp } from '../memory.ts';
import { Backoff } from './backoff.ts';
import { type Box, bubblewrapArguments } from './bubblewrap.ts';
import { execOnce, type Joinable } from './exec.ts';
import { LogFile } from './logfile.ts';
import type { Machine } from './machine.ts';
import type { ProbeTarget } from './probe.ts';
import { type ProbeListener, runProbes } from './probes.ts';
import { type ContainerProcess, type Exit, startProcess } from './process.ts';
import type { ContainerSpec, ContainerState, ContainerStatus } from './spec.ts';
import { Waiting } from './spec.ts';

/** What a container needs of the pod around it. */
export interface Surroundings {
  machine: Machine;
  /** For what this container writes outside its volumes: logs and termination messages. */
  folder: string;
  address: string;
  restartPolicy: 'Always' | 'OnFailure' | 'Never';
  terminationGraceMs: number;
  /** The latest of everything that the pod says about this container; throws `Waiting` where something is missing. */
  prepare(spec: ContainerSpec): { box: Box; environment: Record<string, string> };
  /** Settles at the next change of anything that `prepare` reads, or with `signal`. */
  nextChange(signal: AbortSignal): Promise<void>;
  /** Called whenever `status` would answer something new. */
  changed(): void;
}

const creating: ContainerState = { waiting: { reason: 'ContainerCreating' } };

/** One container of a pod, over all its runs. */
export class Container {
  #spec: ContainerSpec;
  readonly #around: Surroundings;
  readonly #stopping = new AbortController();
  /** Aborted when another image is wanted; every image has one of its own. */
  #imageChange = new AbortController();
  #state: ContainerState = creating;
  #lastState: ContainerState = {};
  /** Numbers the runs; becomes the restart count when a run has begun. */
  #run: number;
  #restartCount: number;
  #ready = false;
  #started = false;
  #imageId = '';
  #process: ContainerProcess | undefined;
  #joinable: Joinable | undefined;
  #containerId: string | undefined;
  #log: LogFile | undefined;
  #previousLog: LogFile | undefined;

  constructor(spec: ContainerSpec, around: Surroundings, restartCount: number) {
    this.#spec = spec;
    this.#around = around;
    this.#run = restartCount;
    this.#restartCount = restartCount;
    mkdirSync(around.folder, { recursive: true });
  }

  get spec(): ContainerSpec {
    return this.#spec;
  }

  /** Runs the container again and again, as its restart policy says, until it has ended for good or is stopped. */
  async run(): Promise<void> {
    let backoff = new Backoff();
    while (!this.#stopping.signal.aborted) {
      const prepared = await this.#prepared();
      if (!prepared) return;
      const { signal: otherImage } = this.#imageChange;
      const startedMs = performance.now();
      const exit = await this.#runOnce(prepared);
      const policy = this.#around.restartPolicy;
      const isOver = policy === 'Never' || (policy === 'OnFailure' && exit.code === 0);
      if (isOver && !otherImage.aborted) return;
      await this.#pause(backoff.next(performance.now() - startedMs), otherImage);
      if (this.#stopping.signal.aborted) return;
      // Another image is another container to the kubelet: it starts at once, whatever the policy, and with no past.
      if (otherImage.aborted) backoff = new Backoff();
      this.#run += 1;
    }
  }

  /** Another image for the container: if it runs it is asked to end, and then starts again with the new one. */
  changeImage(image: string): void {
    if (image === this.#spec.image) return;
    this.#spec = { ...this.#spec, image };
    this.#imageChange.abort();
    this.#imageChange = new AbortController();
    void this.#end(this.#around.terminationGraceMs, true);
  }

  /** SIGTERM, and SIGKILL when `graceMs` have passed; it is not started again. A later call may shorten the grace. */
  async stop(graceMs: number): Promise<void> {
    const first = !this.#stopping.signal.aborted;
    this.#stopping.abort();
    await this.#end(graceMs, first);
  }

  get succeeded(): boolean {
    return this.#state.terminated?.exitCode === 0;
  }

  /** What `exec` joins; `undefined` while the container does not run. */
  get joinable(): Joinable | undefined {
    return this.#state.running ? this.#joinable : undefined;
  }

  log(previous: boolean): LogFile | undefined {
    return previous ? this.#previousLog : this.#log;
  }

  status(): ContainerStatus {
    return {
      name: this.#spec.name,
      image: this.#spec.image ?? '',
      imageID: this.#imageId,
      ...(this.#containerId === undefined ? {} : { containerID: this.#containerId }),
      ready: this.#ready,
      started: this.#started,
      restartCount: this.#restartCount,
      state: this.#state,
      lastState: this.#lastState,
    };
  }

  async #prepared(): Promise<{ box: Box; environment: Record<string, string> } | undefined> {
    while (!this.#stopping.signal.aborted) {
      try {
        return this.#around.prepare(this.#spec);
      } catch (error) {
        const reason = error instanceof Waiting ? error.reason : 'CreateContainerError';
        this.#become({ waiting: { reason, message: messageOf(error) } });
      }
      await this.#around.nextChange(this.#stopping.signal);
    }
    return undefined;
  }

  async #runOnce({ box, environment }: { box: Box; environment: Record<string, string> }): Promise<Exit> {
    const { machine, folder } = this.#around;
    const log = this.#newLog();
    const messageFile = join(folder, `${this.#run}.termination`);
    writeFileSync(messageFile, '');
    const target = this.#spec.terminationMessagePath ?? '/dev/termination-log';
    const mounts = [...box.mounts, { source: messageFile, target, readOnly: false }];
    const args = bubblewrapArguments({ ...box, mounts }, machine.rootless);
    const process = startProcess(machine.bubblewrap, args, environment, (chunk) => log.append(chunk));
    this.#process = process;
    const pid = await process.pid;
    const startedAt = timestamp(new Date());
    this.#restartCount = this.#run;
    const probes = new AbortController();
    if (pid !== undefined) {
      this.#imageId = `sandbox://${box.image.runs.replaceAll(' ', '/')}`;
      this.#containerId = `sandbox://${pid}`;
      this.#joinable = { pid, environment, workingDirectory: box.workingDirectory };
      this.#become({ running: { startedAt } });
      void runProbes(this.#spec, this.#target(this.#joinable), this.#probed, probes.signal);
    }
    const exit = await process.exited;
    probes.abort();
    log.end();
    this.#ready = false;
    this.#started = false;
    const message = this.#message(exit, messageFile, log);
    this.#become({
      terminated: {
        exitCode: exit.started ? exit.code : 128,
        reason: exit.started ? (exit.code === 0 ? 'Completed' : 'Error') : 'StartError',
        ...(message === '' ? {} : { message }),
        startedAt,
        finishedAt: timestamp(new Date()),
        containerID: this.#containerId ?? '',
      },
    });
    return exit;
  }

  /** What probes of this run ask. */
  #target(container: Joinable): ProbeTarget {
    const { machine, address } = this.#around;
    const ports = (this.#spec.ports ?? []).flatMap(({ name, containerPort }) =>
      name === undefined ? [] : [[name, containerPort] as const],
    );
    return {
      address,
      ports: Object.fromEntries(ports),
      environment: container.environment,
      exec: (command, timeoutMs) => execOnce(container, command, timeoutMs, machine.rootless),
    };
  }

  readonly #probed: ProbeListener = {
    started: () => {
      this.#started = true;
      this.#around.changed();
    },
    ready: (ready) => {
      this.#ready = ready;
      this.#around.changed();
    },
    failed: ({ terminationGracePeriodSeconds: seconds }) =>
      void this.#end(seconds === undefined ? this.#around.terminationGraceMs : seconds * 1_000, true),
  };

  async #end(graceMs: number, ask: boolean): Promise<void> {
    const process = this.#process;
    if (!process) return;
    const timer = setTimeout(() => void process.kill(), graceMs);
    if (ask && graceMs > 0) await process.terminate();
    await process.exited;
    clearTimeout(timer);
  }

  async #pause(pauseMs: number, otherImage: AbortSignal): Promise<void> {
    if (pauseMs === 0 || otherImage.aborted) return;
    const message = `back-off ${pauseMs / 1_000}s restarting failed container=${this.#spec.name}`;
    this.#become({ waiting: { reason: 'CrashLoopBackOff', message } });
    // Cut short when the container is stopped or gets another image; whoever called looks at that next.
    const signal = AbortSignal.any([this.#stopping.signal, otherImage]);
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }

  #become(state: ContainerState): void {
    if (this.#state.terminated) this.#lastState = this.#state;
    this.#state = state;
    this.#around.changed();
  }

  /** The log of a new run. That of the run before stays readable, an older one goes. */
  #newLog(): LogFile {
    this.#previousLog?.remove();
    this.#previousLog = this.#log;
    this.#log = new LogFile(join(this.#around.folder, `${this.#run}.log`));
    return this.#log;
  }

  #message(exit: Exit, file: string, log: LogFile): string {
    const written = readFileSync(file, 'utf8').slice(0, 4_096);
    if (written !== '') return written;
    const fromLog = !exit.started || this.#spec.terminationMessagePolicy === 'FallbackToLogsOnError';
    if (exit.code === 0 || !fromLog) return '';
    const lines = log.lines().slice(-80);
    return lines
      .map(({ text }) => `${text}\n`)
      .join('')
      .slice(-2_048);
  }
}
