import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScriptedApi, testToken } from './kube-api.ts';

/** What Kubernetes gives a pod to reach the API with: a folder, and two variables of the environment. */
export interface ServiceAccount {
  readonly dir: string;
  readonly environment: Record<string, string>;
  /** Replaces the token, as the kubelet does before it expires. */
  renew(token: string): void;
  remove(): void;
}

export const serviceAccountPath = '/var/run/secrets/kubernetes.io/serviceaccount';

export function createServiceAccount(api: ScriptedApi): ServiceAccount {
  const { clusters } = JSON.parse(readFileSync(api.kubeconfigPath, 'utf8'));
  const { server, 'certificate-authority-data': authority } = clusters[0].cluster;
  const { hostname, port } = new URL(server);
  const dir = mkdtempSync(join(tmpdir(), 'quorate-account-'));
  const renew = (token: string) => writeFileSync(join(dir, 'token'), token);
  writeFileSync(join(dir, 'ca.crt'), Buffer.from(authority, 'base64'));
  writeFileSync(join(dir, 'namespace'), 'quorate');
  renew(testToken);
  return {
    dir,
    environment: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    renew,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
