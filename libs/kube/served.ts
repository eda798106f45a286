import { failureOf } from './failure.ts';
import type { ResourceType } from './object.ts';
import type { Requests } from './request.ts';

/** An older version is asked for anew after so long: the API server may have been upgraded meanwhile. */
const olderIsKnownMs = 300_000;

/**
 * Finds the version of a kind that the API serves: the type's own, or else the newest of its `olderVersions`.
 * Asks `/apis/<group>`, which everybody may read, once for each kind that has older versions.
 */
export function createServedVersions(
  requests: Requests,
  nowMs: () => number = () => performance.now(),
): (type: ResourceType, signal?: AbortSignal) => Promise<ResourceType> {
  const known = new Map<string, { version: string; untilMs: number }>();
  return async (type, signal) => {
    if (type.olderVersions === undefined) return type;
    const key = `${type.group}/${type.plural}`;
    const before = known.get(key);
    if (before !== undefined && nowMs() < before.untilMs) return { ...type, version: before.version };
    const served = await servedVersions(requests, type.group, signal);
    const version = [type.version, ...type.olderVersions].find((each) => served.includes(each));
    // Where it serves none, it says so itself to whoever asks for the type's own.
    if (version === undefined) return type;
    const untilMs = version === type.version ? Number.POSITIVE_INFINITY : nowMs() + olderIsKnownMs;
    known.set(key, { version, untilMs });
    return { ...type, version };
  };
}

async function servedVersions(requests: Requests, group: string, signal?: AbortSignal): Promise<string[]> {
  const reply = await requests.ask({ method: 'GET', path: `/apis/${group}`, signal });
  if (reply.status === 404) return [];
  if (reply.status >= 300) throw failureOf(reply);
  const { versions = [] } = (reply.body ?? {}) as { versions?: { version?: string }[] };
  return versions.flatMap(({ version }) => version ?? []);
}
