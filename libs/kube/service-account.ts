import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import type { CredentialsSource } from './credentials.ts';

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The credentials of the pod that this runs in, where it runs in one and nobody has given it a kubeconfig: as
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ says. The kubelet replaces the token before
 * it expires, so it is read for each request.
 */
export function serviceAccountCredentials(): CredentialsSource | undefined {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const isGivenKubeconfig = Boolean(KUBECONFIG) || existsSync(join(homedir(), '.kube', 'config'));
  if (isGivenKubeconfig || !host || !port || !existsSync(join(folder, 'token'))) return undefined;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return async () => {
    try {
      const [token, ca] = await Promise.all(['token', 'ca.crt'].map((name) => readText(name)));
      return { server, tls: { ca: ca ?? '' }, headers: { Authorization: `Bearer ${token?.trim()}` } };
    } catch (error) {
      throw new QuorateError('KUBE_UNREACHABLE', `no credentials: ${messageOf(error)}`);
    }
  };
}

const readText = (name: string) => readFile(join(folder, name), 'utf8');
