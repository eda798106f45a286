import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import type { Health } from './health.ts';

/**
 * Serves what a cluster asks of every process, on all addresses: `/livez` says whether the process works, and
 * fails only where a new one would help, never because a server is away; `/readyz` whether all that it needs is
 * there, with the reasons where not; `/metrics` the metrics as Prometheus reads them. Returns the port, which for
 * 0 is a free one. Throws CONFIG_INVALID where the port cannot be had.
 */
export async function serveHttp(port: number, health: Health, metrics: Registry): Promise<number> {
  const answers: Record<string, (response: ServerResponse) => void | Promise<void>> = {
    '/livez': (response) => verdict(response, health.stuck()),
    '/readyz': async (response) => verdict(response, await health.unready()),
    '/metrics': async (response) => {
      const text = await metrics.metrics();
      response.setHeader('content-type', metrics.contentType).end(text);
    },
  };
  const server = createServer((request, response) => {
    const answer = request.method === 'GET' ? answers[request.url ?? ''] : undefined;
    if (answer === undefined) response.writeHead(404).end();
    else Promise.resolve(answer(response)).catch((error) => verdict(response, [messageOf(error)]));
  });
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error) =>
    reject(new QuorateError('CONFIG_INVALID', `QUORATE_HTTP_PORT: ${messageOf(error)}`)),
  );
  server.listen(port, resolve);
  await listening;
  return (server.address() as AddressInfo).port;
}

function verdict(response: ServerResponse, problems: string[]): void {
  response.writeHead(problems.length === 0 ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n`);
}
