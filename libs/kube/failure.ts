import { type ErrorCode, messageOf, QuorateError } from '../errors/catalogue.ts';

/** A reply of the API, read to its end. */
export interface Reply {
  status: number;
  body: unknown;
  /** What was asked: `GET /api/v1/pods`. */
  request: string;
  /** For how long it asks to be left alone, where it does. */
  retryAfterSeconds?: number | undefined;
}

/** The parts of the API's `Status` object that say what went wrong. */
interface ApiStatus {
  reason: string | undefined;
  message: string | undefined;
  /** The name of the object that the status is about. */
  name: string | undefined;
  /** The fields that were refused. */
  causes: string[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads a `Status` with care: it may come from a proxy that speaks no Kubernetes. */
export function readStatus(body: unknown): ApiStatus {
  if (!isRecord(body) || body['kind'] !== 'Status') {
    return { reason: undefined, message: textOf(body)?.trim().slice(0, 300), name: undefined, causes: [] };
  }
  const details = isRecord(body['details']) ? body['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isRecord) : [];
  return {
    reason: textOf(body['reason']),
    message: textOf(body['message']),
    name: textOf(details['name']),
    causes: causes.map((cause) => textOf(cause['field']) ?? ''),
  };
}

/**
 * Whether the reply says positively that the object `name` is not there. A plain 404 does not: a proxy or an
 * API server that does not know the kind (yet) answers so, too.
 */
export function isAbsent({ status, body }: Reply, name: string): boolean {
  const said = readStatus(body);
  return status === 404 && said.reason === 'NotFound' && said.name === name;
}

/** The error of the catalogue for a reply that is no success. */
export function failureOf({ status, body, request, retryAfterSeconds }: Reply): QuorateError {
  const said = readStatus(body);
  const pause = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  const fields = { status, reason: said.reason, message: said.message, request, ...pause };
  const detail = `${request}: ${said.message ?? said.reason ?? 'no reason given'} (${status})`;
  const refusal = admissionRefusal(status, said.message ?? '');
  if (refusal !== undefined) return new QuorateError(refusal, detail, fields);
  if (status >= 500) return new QuorateError('KUBE_UNREACHABLE', detail, fields);
  if (status === 429) return new QuorateError('KUBE_BUSY', detail, fields);
  if (status === 410) return new QuorateError('KUBE_GONE', detail, fields);
  if (status === 409 && said.reason === 'AlreadyExists')
    return new QuorateError('KUBE_EXISTS', detail, fields);
  // The API server answers a patch for another uid with 422: to it, the uid is a field that cannot be changed.
  const isAnother = status === 422 && said.causes.includes('metadata.uid');
  if (status === 409 || isAnother) return new QuorateError('KUBE_CONFLICT', detail, fields);
  // Without a reason, it may be a proxy that answers.
  if ((status === 400 || status === 422) && said.reason !== undefined)
    return new QuorateError('KUBE_INVALID', detail, fields);
  return new QuorateError('KUBE_REFUSED', detail, fields);
}

/**
 * Who in the API server's admission refused a write, told by its words, because a webhook or a policy may answer with any
 * status and the others all with 403. Answers `undefined` where it was none of them. The words are those of
 * Kubernetes' admission chain, the same from 1.20 to today.
 */
function admissionRefusal(status: number, message: string): ErrorCode | undefined {
  if (/failed calling webhook/.test(message)) return 'KUBE_WEBHOOK_FAILED';
  if (/admission webhook "[^"]*" denied the request/.test(message)) return 'KUBE_ADMISSION_REFUSED';
  if (/ValidatingAdmissionPolicy '[^']*' .*denied request/.test(message)) return 'KUBE_ADMISSION_REFUSED';
  if (status !== 403) return undefined;
  if (/(exceeded|failed|status unknown for) quota:/.test(message)) return 'KUBE_QUOTA_EXCEEDED';
  // Of the rest, what somebody has no right to is refused before admission.
  const isRight = /is forbidden: User "/.test(message);
  return /is forbidden: /.test(message) && !isRight ? 'KUBE_ADMISSION_REFUSED' : undefined;
}

/** The error for a request that got no (whole) reply. */
export function unreachable(request: string, cause: unknown): QuorateError {
  const message = messageOf(cause) || 'no reply';
  return new QuorateError('KUBE_UNREACHABLE', `${request}: ${message}`, { request, message }, cause);
}
