import jsonPatch from 'fast-json-patch';
import { ApiStatus, badRequest } from '../status.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Schema } from './schema.ts';
import { strategicMerge } from './strategic.ts';

/** JSON merge patch, RFC 7386. */
export function mergePatch(live: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(live) ? { ...live } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else result[field] = mergePatch(result[field], value);
  }
  return result;
}

/**
 * The object with the patch of the given media type applied; the schema is only looked at by strategic merge
 * patches. Throws what the API answers to a patch that is none or does not apply.
 */
export function applyPatch(live: JsonObject, mediaType: string, patch: unknown, schema: Schema): JsonObject {
  const patched = patchedBy(live, mediaType, patch, schema);
  if (!isObject(patched)) throw badRequest('the patch does not leave an object');
  return patched;
}

function patchedBy(live: JsonObject, mediaType: string, patch: unknown, schema: Schema): unknown {
  switch (mediaType) {
    case 'application/json-patch+json':
      return jsonPatched(live, patch);
    case 'application/merge-patch+json':
      return mergePatch(live, patch);
    case 'application/strategic-merge-patch+json':
      return strategicMerge(live, patch, schema);
    default:
      throw unsupportedMediaType(mediaType);
  }
}

export function unsupportedMediaType(mediaType: string): ApiStatus {
  const message = `the body of the request was in an unknown format - accepted media types do not include: ${mediaType}`;
  return new ApiStatus(415, 'UnsupportedMediaType', message);
}

function jsonPatched(live: JsonObject, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  try {
    return jsonPatch.applyPatch(structuredClone(live), patch, true).newDocument;
  } catch (error) {
    if (!(error instanceof jsonPatch.JsonPatchError)) throw error;
    const { name } = error;
    const message = `the server rejected our request due to an error in our request: ${error.message.split('\n')[0]}`;
    throw name === 'TEST_OPERATION_FAILED' || name === 'OPERATION_PATH_UNRESOLVABLE'
      ? new ApiStatus(422, 'Invalid', message)
      : badRequest(message);
  }
}
