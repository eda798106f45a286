import type { RequestOptions } from 'node:https';
import { createRequire } from 'node:module';
import type { KubeConfig } from '@kubernetes/client-node';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import type { CredentialsSource } from './credentials.ts';

/** What the client library assumes where it finds no kubeconfig at all. */
const nothingFound = 'http://localhost:8080';

/** Where a kubeconfig is: in a file, or here as text; or else where kubectl would take it from. */
export interface KubeconfigSource {
  path?: string | undefined;
  text?: string | undefined;
}

/** The credentials of a kubeconfig. Throws CONFIG_INVALID. */
export function kubeconfigCredentials(given: KubeconfigSource): CredentialsSource {
  const config = loadKubeConfig(given);
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

/** The YAML of a kubeconfig as plain data; throws CONFIG_INVALID, and quotes nothing of it. */
export function parseKubeconfig(text: string): unknown {
  try {
    return openLibrary().loadYaml(text);
  } catch {
    // The parser's message quotes the text, which may hold the token.
    throw new QuorateError('CONFIG_INVALID', 'kubeconfig: it is no YAML');
  }
}

/** The namespace that kubectl takes where it is told none. Throws CONFIG_INVALID. */
export function presentNamespace(path?: string): string {
  const config = loadKubeConfig({ path });
  return config.getContextObject(config.getCurrentContext())?.namespace || 'default';
}

function loadKubeConfig({ path, text }: KubeconfigSource): KubeConfig {
  const config = new (openLibrary().KubeConfig)();
  try {
    if (text !== undefined) config.loadFromString(text);
    else if (path === undefined) config.loadFromDefault();
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
function openLibrary(): typeof import('@kubernetes/client-node') {
  return createRequire(import.meta.url)('@kubernetes/client-node');
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
