import type { Readable, Writable } from 'node:stream';
import type { KubeObject } from '../kube/object.ts';

export interface LogOptions {
  /** Stay and send what is written from now on, until the container ends or `signal` is aborted. */
  follow: boolean;
  /** The log of the container's run before this one. */
  previous: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  timestamps: boolean;
  signal: AbortSignal;
}

export interface ExecOptions {
  /** Whether the caller will write to stdin. Where not, the process gets an empty one. */
  stdin: boolean;
  tty: boolean;
}

export interface ExecSession {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** The exit code; 128 + the signal's number where a signal ended it. */
  exit: Promise<number>;
  /** Ends the process; called when the caller has gone. */
  kill(): void;
}

/**
 * What the API needs of the node for `kubectl logs` and `kubectl exec`. The container has been checked to be one of
 * the pod's. Both throw an `ApiStatus` where it cannot be done (e.g. 400: the container has not started yet).
 */
export interface Runtime {
  logs(pod: KubeObject, container: string, options: LogOptions): Promise<Readable>;
  exec(pod: KubeObject, container: string, command: string[], options: ExecOptions): Promise<ExecSession>;
}
