import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** Writes `<directory>/kubeconfig`, readable only by its owner and never half written; returns its path. */
export async function writeKubeconfig(
  directory: string,
  access: { url: string; token: string; authority: string },
): Promise<string> {
  const name = 'quorate-sandbox';
  const cluster = {
    server: access.url,
    'certificate-authority-data': Buffer.from(access.authority).toString('base64'),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user: { token: access.token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  };
  const path = join(directory, 'kubeconfig');
  await writeFile(`${path}.new`, stringify(config), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return path;
}
