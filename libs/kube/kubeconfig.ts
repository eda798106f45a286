import type { RequestOptions } from 'node:https';
import { createRequire } from 'node:module';
import type { KubeConfig } from '@kubernetes/client-node';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import type { CredentialsSource } from './credentials.ts';

/** What the client library assumes where it finds no kubeconfig at all. */
const nothingFound = 'http://localhost:8080';

/** The credentials of a kubeconfig: that of `path`, or else what kubectl would take. Throws CONFIG_INVALID. */
export function kubeconfigCredentials(path: string | undefined): CredentialsSource {
  const config = loadKubeConfig(path);
  const server = serverOf(config);
  const proxyUrl = config.getCurrentCluster()?.proxyUrl;
  return async () => {
    const options: RequestOptions = {};
    await applyCredentials(config, options);
    const { ca, cert, key, rejectUnauthorized, servername } = options;
    const tls = Object.entries({ ca, cert, key, rejectUnauthorized, servername });
    return {
      server,
      proxyUrl,
      tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)),
      headers: headersOf(options),
    };
  };
}

/** The namespace that kubectl takes where it is told none. Throws CONFIG_INVALID. */
export function presentNamespace(path?: string): string {
  const config = loadKubeConfig(path);
  return config.getContextObject(config.getCurrentContext())?.namespace || 'default';
}

function loadKubeConfig(path: string | undefined): KubeConfig {
  const config = newKubeConfig();
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

/**
 * Loads the library here and not at the top: with the classes of all of Kubernetes it takes as long as all the rest
 * of a service, and in a pod nothing of it is needed.
 */
function newKubeConfig(): KubeConfig {
  const library: typeof import('@kubernetes/client-node') = createRequire(import.meta.url)(
    '@kubernetes/client-node',
  );
  return new library.KubeConfig();
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

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}
