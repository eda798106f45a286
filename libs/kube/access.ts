import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { QuorateError } from '../errors/catalogue.ts';
import type { Credentials, CredentialsSource } from './credentials.ts';
import { type KubeconfigSource, kubeconfigCredentials } from './kubeconfig.ts';
import { serviceAccountCredentials } from './service-account.ts';

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

/**
 * Reads the kubeconfig given, or else what kubectl would: `KUBECONFIG`, `~/.kube/config`, the pod's own service
 * account. Throws CONFIG_INVALID where there is nothing usable. Connections are kept and shared: the client
 * library itself would open a new one for every request.
 */
export function openAccess(given: KubeconfigSource = {}): AccessSource {
  let credentials = findCredentials(given);
  let connections: Connections | undefined;
  let pending: Promise<Access> | undefined;

  async function renew(): Promise<Access> {
    const given = await credentials();
    const { dispatcher, material } = connectionsFor(given, connections);
    if (connections !== undefined && connections.dispatcher !== dispatcher) {
      // Requests under way on the old connections end by themselves, so nobody waits for this or minds its end.
      connections.dispatcher.close().catch(() => {});
    }
    connections = { material, dispatcher };
    return { server: given.server, headers: given.headers, dispatcher };
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
      credentials = findCredentials(given);
    },
    async close() {
      await connections?.dispatcher.destroy();
    },
  };
}

function findCredentials(given: KubeconfigSource): CredentialsSource {
  const isGiven = given.path !== undefined || given.text !== undefined;
  return (isGiven ? undefined : serviceAccountCredentials()) ?? kubeconfigCredentials(given);
}

/** Connections, and what they were made with. */
interface Connections {
  material: string;
  dispatcher: Dispatcher;
}

function connectionsFor(
  { server, proxyUrl, tls }: Credentials,
  current: Connections | undefined,
): Connections {
  const { ca, cert, key, rejectUnauthorized, servername } = tls;
  const material = [server, proxyUrl, ca, cert, key, rejectUnauthorized, servername].map(String).join('\n');
  if (current?.material === material) return current;
  if (!proxyUrl) return { material, dispatcher: new Agent({ ...keepAlive, connect: tls }) };
  if (proxyUrl.startsWith('socks')) {
    throw new QuorateError('CONFIG_INVALID', 'kubeconfig: SOCKS proxies are not supported, HTTP proxies are');
  }
  return { material, dispatcher: new ProxyAgent({ ...keepAlive, uri: proxyUrl, requestTls: tls }) };
}
