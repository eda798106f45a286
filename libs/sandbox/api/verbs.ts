import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultTarget } from '../faults.ts';
import { ApiStatus } from '../status.ts';
import type { ApiContext } from './context.ts';
import { deleteCollection, deleteObject } from './deletion.ts';
import { evictPod } from './eviction.ts';
import { listObjects, unknownPath } from './listing.ts';
import { sendLogs } from './logs.ts';
import { patchObject } from './patching.ts';
import type { ResourceRequest } from './request.ts';
import { sendJson } from './respond.ts';
import { scaleObject } from './scale.ts';
import { encodePage, encoderOf } from './tables.ts';
import { watchObjects } from './watching.ts';
import { createObject, existing, replaceObject, type Written } from './write.ts';

/** Serves one request on a resource: the faults that are in force first, then the verb. */
export async function serveResource(
  context: ApiContext,
  request: ResourceRequest,
  response: ServerResponse,
): Promise<void> {
  const target = faultTarget(request);
  context.traffic.count(request.resource.type.group, target);
  const fault = context.faults.next(target);
  if (fault.delayMs !== undefined) await sleep(fault.delayMs);
  if (fault.status !== undefined) throw asked(fault, fault.status, response);
  const { subresource, name, method } = request;
  if (subresource === 'log' && method === 'GET') return sendLogs(context, request, response);
  if (subresource === 'eviction' && method === 'POST' && request.resource.type.kind === 'Pod') {
    return sendJson(response, 201, evictPod(context, request));
  }
  if (subresource === 'scale') return sendJson(response, 200, scaleObject(context, request));
  if (subresource !== undefined && !(subresource === 'status' && request.resource.statusSubresource)) {
    throw unknownPath();
  }
  if (isWatch(request)) return watchObjects(context, request, response);
  const answer =
    name === undefined ? serveCollection(context, request, fault) : serveObject(context, request);
  if (answer.warnings && answer.warnings.length > 0) {
    response.setHeader(
      'Warning',
      answer.warnings.map((text) => `299 - ${JSON.stringify(text)}`),
    );
  }
  sendJson(response, answer.status, answer.body);
}

/** The answer that a rule asks for, with the header that says when to come back. */
function asked({ message, retryAfterSeconds }: Fault, status: number, response: ServerResponse): ApiStatus {
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
  return new ApiStatus(status, reasonOf(status), message ?? 'a fault was asked for', details);
}

interface Answer {
  status: number;
  body: object;
  warnings?: string[];
}

function serveCollection(context: ApiContext, request: ResourceRequest, fault: Fault): Answer {
  switch (request.method) {
    case 'GET':
      return { status: 200, body: encodePage(request, listObjects(context, request, fault.listAt)) };
    case 'POST':
      if (request.resource.type.namespaced && request.namespace === undefined) throw notAllowed();
      return written(request, createObject(context, request));
    case 'DELETE': {
      const items = deleteCollection(context, request);
      return {
        status: 200,
        body: encodePage(request, { items, resourceVersion: context.store.resourceVersion() }),
      };
    }
    default:
      throw notAllowed();
  }
}

function serveObject(context: ApiContext, request: ResourceRequest): Answer {
  switch (request.method) {
    case 'GET':
      return { status: 200, body: encoderOf(request)(existing(context, request)) };
    case 'PUT':
      return written(request, replaceObject(context, request));
    case 'PATCH':
      return written(request, patchObject(context, request));
    case 'DELETE':
      if (request.subresource !== undefined) throw notAllowed();
      return { status: 200, body: deleteObject(context, request) };
    default:
      throw notAllowed();
  }
}

function written(request: ResourceRequest, { created, object, warnings }: Written): Answer {
  return { status: created ? 201 : 200, body: encoderOf(request)(object), warnings };
}

function isWatch({ method, query, subresource }: ResourceRequest): boolean {
  return method === 'GET' && subresource === undefined && ['true', '1'].includes(query.get('watch') ?? '');
}

function faultTarget(request: ResourceRequest): FaultTarget {
  const { method, name, namespace, subresource, resource } = request;
  const byMethod: Record<string, string> = {
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  };
  const reading = isWatch(request) ? 'watch' : name === undefined ? 'list' : 'get';
  const verb = method === 'DELETE' && name === undefined ? 'deletecollection' : (byMethod[method] ?? reading);
  const plural = resource.type.plural;
  return { verb, resource: subresource ? `${plural}/${subresource}` : plural, namespace, name };
}

const reasons: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
const reasonOf = (status: number): string => reasons[status] ?? 'Unknown';

const notAllowed = (): ApiStatus =>
  new ApiStatus(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
