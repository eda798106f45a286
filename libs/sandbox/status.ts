export interface StatusCause {
  reason: string;
  message: string;
  field: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** What the sandbox's API refuses, as Kubernetes says it: thrown anywhere below, answered as a Status object. */
export class ApiStatus extends Error {
  override readonly name = 'ApiStatus';
  /** The HTTP status. */
  readonly code: number;
  /** The machine-readable reason, e.g. `NotFound`. */
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `Status` object that goes over the wire. */
  body(): object {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

interface Kinded {
  group: string;
  plural: string;
}

/** `pods`, `etcdclusters.etcd.database.coreos.com`: how messages name a resource. */
export function resourceName(type: Kinded): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}

const about = (type: Kinded, name: string): StatusDetails => ({
  name,
  ...(type.group === '' ? {} : { group: type.group }),
  kind: type.plural,
});

export function notFound(type: Kinded, name: string): ApiStatus {
  return new ApiStatus(404, 'NotFound', `${resourceName(type)} "${name}" not found`, about(type, name));
}

export function alreadyExists(type: Kinded, name: string): ApiStatus {
  const message = `${resourceName(type)} "${name}" already exists`;
  return new ApiStatus(409, 'AlreadyExists', message, about(type, name));
}

export function conflict(type: Kinded, name: string, why: string): ApiStatus {
  const message = `Operation cannot be fulfilled on ${resourceName(type)} "${name}": ${why}`;
  return new ApiStatus(409, 'Conflict', message, about(type, name));
}

export function badRequest(message: string): ApiStatus {
  return new ApiStatus(400, 'BadRequest', message);
}

/** `422 Invalid`: every wrong field with its cause, in the words kubectl shows. */
export function invalid(
  type: { group: string; kind: string },
  name: string,
  causes: StatusCause[],
): ApiStatus {
  const texts = causes.map((cause) =>
    cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`,
  );
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const qualified = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  return new ApiStatus(422, 'Invalid', `${qualified} "${name}" is invalid: ${list}`, {
    name,
    ...(type.group === '' ? {} : { group: type.group }),
    kind: type.kind,
    causes,
  });
}
