import { createStore } from '../libs/sandbox/memory.ts';
import type { NodeFaults } from '../libs/sandbox/node-faults.ts';
import type { Runtime } from '../libs/sandbox/runtime.ts';
import { type SandboxApi, startApi } from '../libs/sandbox/server.ts';
import type { Log } from '../libs/service/log.ts';

const noPods: Runtime = {
  logs: () => Promise.reject(new Error('no pod runs here')),
  exec: () => Promise.reject(new Error('no pod runs here')),
};

const unbreakable: NodeFaults = {
  die: () => Promise.reject(new Error('there is no node')),
  revive: () => {},
  emptyClaim: () => false,
};

/** The sandbox's Kubernetes API in this process, without a node: nothing runs there. Its files go to `directory`. */
export function startSandboxApi(directory: string, log: Log): Promise<SandboxApi> {
  let services = 0;
  const allocateClusterIp = (): string => {
    services += 1;
    return `127.91.0.${services}`;
  };
  return startApi({
    store: createStore(),
    directory,
    runtime: noPods,
    node: unbreakable,
    allocateClusterIp,
    log,
  });
}
