import type { KubeObject } from '../../kube/object.ts';
import { ApiStatus, badRequest } from '../status.ts';
import type { ApiContext } from './context.ts';
import { keyOf } from './history.ts';
import { isObject } from './json.ts';
import type { ResourceRequest } from './request.ts';
import { type Matches, parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { storageType, versioned } from './write.ts';

export interface Page {
  items: KubeObject[];
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** The objects that the request's selectors and its name choose. */
export function selectorOf({ query, resource, name }: ResourceRequest): Matches {
  const byLabels = parseLabelSelector(query.get('labelSelector') ?? '');
  const byFields = parseFieldSelector(query.get('fieldSelector') ?? '', resource.type.kind);
  return (object) =>
    (name === undefined || object.metadata.name === name) && byLabels(object) && byFields(object);
}

/** One page of a list. All pages of one list show the state at the first page's resourceVersion. */
export function listObjects(context: ApiContext, request: ResourceRequest, staleAt?: string): Page {
  const { resource, namespace, query } = request;
  const type = storageType(resource);
  const token = readToken(query.get('continue'));
  const past = token?.resourceVersion ?? staleAt ?? exactVersion(query);
  const now = context.store.resourceVersion();
  const objects =
    past === undefined ? context.store.list(type, namespace) : context.history.listAt(type, namespace, past);
  const matches = selectorOf(request);
  const after = token?.after;
  const chosen = objects.filter(
    (object) => matches(object) && (after === undefined || keyOf(object) > after),
  );
  const resourceVersion = past ?? now;
  const limit = Number(query.get('limit') ?? 0);
  const items = limit > 0 ? chosen.slice(0, limit) : chosen;
  const last = items.at(-1);
  const page = { items: items.map((object) => versioned(object, resource)), resourceVersion };
  if (items.length === chosen.length || !last) return page;
  const next = Buffer.from(JSON.stringify({ resourceVersion, after: keyOf(last) })).toString('base64url');
  return { ...page, continue: next, remainingItemCount: chosen.length - items.length };
}

function exactVersion(query: URLSearchParams): string | undefined {
  if (query.get('resourceVersionMatch') !== 'Exact') return undefined;
  return query.get('resourceVersion') ?? undefined;
}

function readToken(token: string | null): { resourceVersion: string; after: string } | undefined {
  if (!token) return undefined;
  try {
    const read: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (isObject(read))
      return { resourceVersion: String(read['resourceVersion']), after: String(read['after']) };
  } catch {
    // Not JSON, so it is none of our tokens: refused below.
  }
  throw badRequest('continue key is not valid');
}

/** The 404 of a resource or path that does not exist at all. */
export function unknownPath(): ApiStatus {
  return new ApiStatus(404, 'NotFound', 'the server could not find the requested resource');
}
