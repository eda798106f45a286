import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate } from '../libs/sandbox/api/certificate.ts';

/** An HTTPS server that plays a Kubernetes API as a test scripts it, and the kubeconfig to reach it. */
export interface ScriptedApi {
  readonly kubeconfigPath: string;
  /** How many connections it accepted. */
  connectionCount(): number;
  /** Ends all connections and stops listening. */
  stop(): Promise<void>;
}

export const testToken = 'token-of-the-test-0123456789';

export type Script = (
  request: IncomingMessage & { url: string; body: string },
  response: ServerResponse,
) => void;

export async function startScriptedApi(script: Script): Promise<ScriptedApi> {
  const { authority, certificate, key } = await createCertificate(new Date());
  const server = createServer({ key, cert: certificate }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => script(Object.assign(request, { url: request.url ?? '/', body }), response));
  });
  let connections = 0;
  server.on('secureConnection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dir = await mkdtemp(join(tmpdir(), 'quorate-kube-api-'));
  const kubeconfigPath = join(dir, 'kubeconfig');
  await writeFile(
    kubeconfigPath,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [
        {
          name: 'test',
          cluster: {
            server: `https://127.0.0.1:${port}`,
            'certificate-authority-data': Buffer.from(authority).toString('base64'),
          },
        },
      ],
      users: [{ name: 'test', user: { token: testToken } }],
    }),
  );
  return {
    kubeconfigPath,
    connectionCount: () => connections,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Answers with JSON. */
export function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
