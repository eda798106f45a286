import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { ApiStatus } from '../status.ts';
import type { ServerCertificate } from './certificate.ts';
import type { ApiContext } from './context.ts';
import { aggregated, groupEntry, groupList, groupsOf, resourceList, version } from './discovery.ts';
import { refuseUpgrade, serveExec } from './exec.ts';
import { serveFaults } from './faulting.ts';
import { objectOf } from './json.ts';
import { unknownPath } from './listing.ts';
import { openApiDocument, openApiIndex } from './openapi.ts';
import { acceptsOpenApiV2Protobuf, openApiV2ProtobufType } from './openapi-v2-protobuf.ts';
import { managerOf, parsePath, type ResourceRequest, readBody } from './request.ts';
import { sendBytes, sendError, sendJson, sendText } from './respond.ts';
import { serveResource } from './verbs.ts';

const discoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** The HTTPS server of the API; everything needs the token. */
export function createApiServer(context: ApiContext, certificate: ServerCertificate, token: string): Server {
  const server = createServer({
    cert: certificate.certificate,
    key: certificate.key,
    keepAliveTimeout: 120_000,
  });
  server.on('request', (request, response) => {
    serve(context, request, response, token).catch((error: unknown) =>
      sendError(response, error, context.log),
    );
  });
  server.on('upgrade', (request, socket, head) => {
    // A client that vanishes during the exchange has nobody left to tell.
    socket.on('error', () => socket.destroy());
    upgrade(context, request, socket, head, token).catch((error: unknown) => refuseUpgrade(socket, error));
  });
  return server;
}

async function serve(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
): Promise<void> {
  authenticate(request, token);
  const url = new URL(request.url ?? '/', 'https://localhost');
  const wanted = parsePath(url.pathname, context.registry);
  if (!wanted) return serveOther(context, url.pathname, request, response);
  const body = await readBody(request);
  await serveResource(context, { ...requestOf(url, request), ...wanted, ...body }, response);
}

async function upgrade(
  context: ApiContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  token: string,
): Promise<void> {
  authenticate(request, token);
  const url = new URL(request.url ?? '/', 'https://localhost');
  const wanted = parsePath(url.pathname, context.registry);
  if (wanted?.subresource !== 'exec' || wanted.resource.type.kind !== 'Pod') throw unknownPath();
  const exec = { ...requestOf(url, request), ...wanted, body: undefined, doubled: [], mediaType: '' };
  await serveExec(context, exec, { request, socket, head });
}

function requestOf(
  url: URL,
  request: IncomingMessage,
): Pick<ResourceRequest, 'method' | 'query' | 'accept' | 'manager'> {
  return {
    method: request.method ?? 'GET',
    query: url.searchParams,
    accept: request.headers.accept ?? '',
    manager: managerOf(url.searchParams, request.headers['user-agent']),
  };
}

function authenticate(request: IncomingMessage, token: string): void {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new ApiStatus(401, 'Unauthorized', 'Unauthorized');
}

/** What is no resource: health, version, discovery, OpenAPI, access reviews and the sandbox's own faults. */
async function serveOther(
  context: ApiContext,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { registry } = context;
  const parts = path.split('/').filter((part) => part !== '');
  const [root, second = '', third = ''] = parts;
  const wantsAll = (request.headers.accept ?? '').includes('g=apidiscovery.k8s.io;v=v2;');
  const isPath = (...wanted: string[]): boolean => wanted.join('/') === parts.join('/');

  if (['healthz', 'livez', 'readyz'].includes(root ?? '')) return sendText(response, 200, 'ok');
  if (isPath('metrics')) return sendText(response, 200, context.traffic.metrics());
  if (isPath('version')) return sendJson(response, 200, version);
  if (root === 'sandbox') return serveFaults(context, parts.slice(1), request, response);
  if (isPath('apis', 'authorization.k8s.io', 'v1', 'selfsubjectaccessreviews') && request.method === 'POST') {
    const review = objectOf((await readBody(request)).body);
    return sendJson(response, 201, { ...review, status: { allowed: true } });
  }
  if (request.method !== 'GET') throw unknownPath();
  if (isPath('openapi', 'v2')) {
    if (!acceptsOpenApiV2Protobuf(request.headers.accept ?? '')) {
      return sendJson(response, 200, context.openApiV2.json());
    }
    return sendBytes(response, 200, context.openApiV2.protobuf(), openApiV2ProtobufType);
  }
  if (isPath('openapi', 'v3')) return sendJson(response, 200, openApiIndex(registry));
  if (root === 'openapi' && second === 'v3') {
    const [group = '', wanted = ''] = third === 'api' ? ['', parts[3]] : parts.slice(3);
    if (!resourceList(registry, group, wanted)) throw unknownPath();
    return sendJson(response, 200, openApiDocument(registry, group, wanted));
  }
  if (isPath('api')) {
    if (wantsAll) return sendJson(response, 200, aggregated(registry, true), discoveryType);
    return sendJson(response, 200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] });
  }
  if (isPath('apis')) {
    if (wantsAll) return sendJson(response, 200, aggregated(registry, false), discoveryType);
    return sendJson(response, 200, groupList(registry));
  }
  const group =
    root === 'apis' && parts.length === 2 && groupsOf(registry).find(({ name }) => name === second);
  if (group) return sendJson(response, 200, groupEntry(group));
  const list =
    root === 'api' && parts.length === 2
      ? resourceList(registry, '', second)
      : root === 'apis' && parts.length === 3
        ? resourceList(registry, second, third)
        : undefined;
  if (!list) throw unknownPath();
  sendJson(response, 200, list);
}
