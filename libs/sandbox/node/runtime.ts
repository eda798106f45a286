import { Readable } from 'node:stream';
import type { Runtime } from '../runtime.ts';
import { badRequest } from '../status.ts';
import { startExec } from './exec.ts';
import type { Pod } from './pod.ts';

/** `kubectl logs` and `kubectl exec` on the pods that `find` knows by their uid. */
export function nodeRuntime(find: (uid: string) => Pod | undefined, rootless: boolean): Runtime {
  return {
    logs: async (pod, name, options) => {
      const container = find(pod.metadata.uid ?? '')?.container(name);
      const log = container?.log(options.previous);
      if (!log && options.previous) {
        throw badRequest(`previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
      }
      if (!log) {
        const reason = container?.status().state.waiting?.reason ?? 'ContainerCreating';
        throw badRequest(`container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${reason}`);
      }
      const { tailLines, sinceSeconds, ...rest } = options;
      const since = sinceSeconds === undefined ? {} : { since: new Date(Date.now() - sinceSeconds * 1_000) };
      return Readable.from(
        log.read({ ...rest, ...since, ...(tailLines === undefined ? {} : { tailLines }) }),
      );
    },
    exec: async (pod, name, command, options) => {
      const container = find(pod.metadata.uid ?? '')?.container(name)?.joinable;
      if (!container) throw badRequest(`container "${name}" of pod "${pod.metadata.name}" is not running`);
      return startExec(container, command, options, rootless);
    },
  };
}
