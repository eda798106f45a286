import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';

/** What the API has said to a request. */
export interface Answer {
  status: number;
  body: string;
  /** The texts of its warnings. */
  warnings: string[];
}

/** Sends any bytes to a Kubernetes API as the user of a kubeconfig: no client between would let all of them pass. */
export interface Sender {
  send(asked: { method: string; path: string; contentType?: string; body?: string }): Promise<Answer>;
  close(): void;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
}

const fromBase64 = (data: string | undefined) =>
  data === undefined ? undefined : Buffer.from(data, 'base64');

export function openSender(kubeconfigPath: string): Sender {
  const config = parse(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig;
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
  if (!cluster || !user) throw new Error(`${kubeconfigPath} names no cluster and user`);
  const [cert, key] = [fromBase64(user['client-certificate-data']), fromBase64(user['client-key-data'])];
  const agent = new Agent({
    keepAlive: true,
    ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
    ...(cert && key && { cert, key }),
  });
  return {
    async send({ method, path, contentType, body }) {
      const reply = Promise.withResolvers<Answer>();
      const sent = request(`${cluster.server}${path}`, {
        method,
        agent,
        timeout: 30_000,
        headers: {
          ...(user.token !== undefined && { authorization: `Bearer ${user.token}` }),
          ...(contentType !== undefined && { 'content-type': contentType }),
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        },
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
      sent.on('error', reply.reject);
      sent.on('response', (response) => {
        const warnings = [response.headers['warning'] ?? []].flat().flatMap(warningsIn);
        text(response).then(
          (answer) => reply.resolve({ status: response.statusCode ?? 0, body: answer, warnings }),
          reply.reject,
        );
      });
      sent.end(body);
      return reply.promise;
    },
    close: () => agent.destroy(),
  };
}

/** `299 - "unknown field \"x\"", 299 - "…"` → the texts (RFC 7234, "Warning"). */
const warningsIn = (header: string): string[] =>
  [...header.matchAll(/299 \S+ ("(?:[^"\\]|\\.)*")/g)].map(
    ([, quoted = '""']) => JSON.parse(quoted) as string,
  );
