import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KubeObject } from '../kube/object.ts';
import type { Log } from '../service/log.ts';
import { builtinResources } from './api/builtins.ts';
import { createCertificate } from './api/certificate.ts';
import { createHistory } from './api/history.ts';
import { writeKubeconfig } from './api/kubeconfig.ts';
import { createOpenApiV2 } from './api/openapi-v2.ts';
import { createRegistry } from './api/registry.ts';
import { createApiServer } from './api/server.ts';
import { createTraffic } from './api/traffic.ts';
import { startControllers } from './controllers/start.ts';
import { createFaults } from './faults.ts';
import type { NodeFaults } from './node-faults.ts';
import type { Runtime } from './runtime.ts';
import type { Store } from './store.ts';

/** How many changes a watch may lie behind before it must list again. */
const historyCapacity = 5000;

export interface SandboxApi {
  url: string;
  kubeconfigPath: string;
  close(): Promise<void>;
}

/**
 * Starts the sandbox's API on 127.0.0.1 with its controllers, and writes `<directory>/kubeconfig` (mode 0600) with a
 * new authority and token. `port` 0, the default, takes a free one. `allocateClusterIp` gives services an address.
 */
export async function startApi(options: {
  store: Store;
  directory: string;
  port?: number;
  runtime: Runtime;
  node: NodeFaults;
  allocateClusterIp: (service: KubeObject) => string;
  log: Log;
}): Promise<SandboxApi> {
  const { store, log, runtime, node } = options;
  const now = () => new Date();
  const registry = createRegistry(store, builtinResources(options.allocateClusterIp));
  const history = createHistory(store, historyCapacity);
  const controllers = startControllers(store, registry, now);
  const certificate = await createCertificate(now());
  const token = randomBytes(24).toString('base64url');
  const openApiV2 = createOpenApiV2(registry);
  const context = {
    ...{ store, registry, openApiV2, history, faults: createFaults(), traffic: createTraffic() },
    ...{ runtime, node, log, now },
  };
  const server = createApiServer(context, certificate, token);
  // All of them, also those that are being opened or were upgraded, which the server does not count as its own.
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await mkdir(options.directory, { recursive: true });
  const access = { url, token, authority: certificate.authority };
  const kubeconfigPath = await writeKubeconfig(options.directory, access);
  return {
    url,
    kubeconfigPath,
    close: async () => {
      controllers.close();
      history.close();
      registry.close();
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
