import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { KubeObject } from '../../kube/object.ts';
import { badRequest } from '../status.ts';
import type { ApiContext } from './context.ts';
import { listOf, objectOf, textOf } from './json.ts';
import type { ResourceRequest } from './request.ts';
import { existing } from './write.ts';

/** `pods/<name>/log`: sends the text as the node has it, until its end or the client's. */
export async function sendLogs(
  context: ApiContext,
  request: ResourceRequest,
  response: ServerResponse,
): Promise<void> {
  const pod = existing(context, request);
  const { query } = request;
  const container = chooseContainer(pod, query.get('container'));
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const [tailLines, sinceSeconds] = [numberOf(query, 'tailLines'), numberOf(query, 'sinceSeconds')];
  const logs = await context.runtime.logs(pod, container, {
    follow: query.get('follow') === 'true',
    previous: query.get('previous') === 'true',
    timestamps: query.get('timestamps') === 'true',
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    signal: gone.signal,
  });
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  try {
    await pipeline(logs, response);
  } catch (error) {
    // A reader that goes away in the middle of a log is how every `kubectl logs -f` ends.
    if (!gone.signal.aborted) throw error;
  }
}

/** The container that was asked for, or the only one; throws BadRequest in the API server's words. */
export function chooseContainer(pod: KubeObject, wanted: string | null): string {
  const spec = objectOf(pod['spec']);
  const names = [...listOf(spec['containers']), ...listOf(spec['initContainers'])].map((container) =>
    String(objectOf(container)['name']),
  );
  const { name } = pod.metadata;
  if (wanted) {
    if (names.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const only = textOf(objectOf(listOf(spec['containers'])[0])['name']);
  if (only !== undefined && listOf(spec['containers']).length === 1) return only;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`);
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw badRequest(`${name} must be a whole number: ${text}`);
  return number;
}
