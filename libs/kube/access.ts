import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { messageOf, QuorateError } from '../errors/catalogue.ts';

/** How to send one request: where, as whom, over which connections. */
export interface Access {
  server: string;
  headers: Record<string, string>;
  dispatcher: Dispatcher;
}

/** The connections of one kube and the credentials for them, as a kubeconfig (or the pod's own account) says. */
export interface AccessSource {
  /** Fresh credentials: tokens and certificates are read again when they are due. */
  access(): Promise<Access>;
  /** Reads the kubeconfig again, after the API did not accept the credentials. */
  reload(): void;
  close(): Promise<void>;
}

const keepAlive = {
  // The API server keeps idle connections for minutes; proxies before it often for one.
  keepAliveTimeout: 30_000,
  // HTTP/1.1 gives each watch its own connection, so that a stuck one holds up nothing else.
  allowH2: false,
} as const;

/** What the client library assumes where it finds no kubeconfig at all. */
const nothingFound = 'http://localhost:8080';

/**
 * Reads `kubeconfigPath`, or else what kubectl would: `KUBECONFIG`, `~/.kube/config`, the pod's own service
 * account. Throws CONFIG_INVALID where there is nothing usable. Connections are kept and shared: the client
 * library itself would open a new one for every request.
 */
export function openAccess(kubeconfigPath?: string): AccessSource {
  let config = loadKubeConfig(kubeconfigPath);
  let connections: { material: string; dispatcher: Dispatcher } | undefined;
  let pending: Promise<Access> | undefined;

  async function renew(): Promise<Access> {
    const options: RequestOptions = {};
    await applyCredentials(config, options);
    const { dispatcher, material } = connectionsFor(config, options, connections);
    if (connections !== undefined && connections.dispatcher !== dispatcher) {
      // Requests under way on the old connections end by themselves, so nobody waits for this or minds its end.
      connections.dispatcher.close().catch(() => {});
    }
    connections = { material, dispatcher };
    return { server: serverOf(config), headers: headersOf(options), dispatcher };
  }

  return {
    access() {
      // One at a time: many requests at the start must not run as many credential plugins.
      pending ??= renew().finally(() => {
        pending = undefined;
      });
      return pending;
    },
    reload() {
      config = loadKubeConfig(kubeconfigPath);
    },
    async close() {
      await connections?.dispatcher.destroy();
    },
  };
}

/** The namespace that kubectl takes where it is told none. Throws CONFIG_INVALID. */
export function presentNamespace(kubeconfigPath?: string): string {
  const config = loadKubeConfig(kubeconfigPath);
  return config.getContextObject(config.getCurrentContext())?.namespace || 'default';
}

function loadKubeConfig(path: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    throw new QuorateError('CONFIG_INVALID', `kubeconfig ${path ?? ''}: ${messageOf(error)}`);
  }
  if (serverOf(config) === nothingFound) {
    throw new QuorateError(
      'CONFIG_INVALID',
      'no kubeconfig: set KUBECONFIG, or make ~/.kube/config, or run in a pod with a service account',
    );
  }
  return config;
}

function serverOf(config: KubeConfig): string {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new QuorateError('CONFIG_INVALID', `kubeconfig: no cluster for context "${config.currentContext}"`);
  }
  return server.replace(/\/+$/, '');
}

async function applyCredentials(config: KubeConfig, options: RequestOptions): Promise<void> {
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    // A credential plugin's output that is no JSON is quoted in the parser's error, and may hold the token.
    const reason = error instanceof SyntaxError ? 'its reply is no JSON' : messageOf(error);
    throw new QuorateError('KUBE_UNREACHABLE', `no credentials: ${reason}`);
  }
}

function connectionsFor(
  config: KubeConfig,
  { ca, cert, key, rejectUnauthorized, servername }: RequestOptions,
  current: { material: string; dispatcher: Dispatcher } | undefined,
): { material: string; dispatcher: Dispatcher } {
  const proxy = config.getCurrentCluster()?.proxyUrl;
  const material = [serverOf(config), proxy, ca, cert, key, rejectUnauthorized, servername]
    .map(String)
    .join('\n');
  if (current?.material === material) return current;
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
  };
  if (!proxy) return { material, dispatcher: new Agent({ ...keepAlive, connect: tls }) };
  if (proxy.startsWith('socks')) {
    throw new QuorateError('CONFIG_INVALID', 'kubeconfig: SOCKS proxies are not supported, HTTP proxies are');
  }
  return { material, dispatcher: new ProxyAgent({ ...keepAlive, uri: proxy, requestTls: tls }) };
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}
