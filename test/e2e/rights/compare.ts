/** One thing that a service account may do, or has done: a verb on a resource (`pods`, `etcdclusters/status`). */
export interface Right {
  /** The name of the service account. */
  account: string;
  apiGroup: string;
  resource: string;
  verb: string;
}

/** A request of a service account, as the API server's audit log has it. */
export interface AuditedRequest extends Right {
  /** Whether the account had the right; other refusals are no matter of rights. */
  allowed: boolean;
  /** HTTP status of the answer; `undefined` where there was none. */
  code: number | undefined;
}

/** A right that the tests may well not use, and why it is given all the same. */
export interface DormantRight extends Right {
  reason: string;
}

/**
 * What is wrong with the rights of the services, each in one sentence: a request that was forbidden for the lack of
 * one, a right that no request used, or a dormant right that is not given. Pure.
 */
export function compareRights(
  granted: readonly Right[],
  requests: readonly AuditedRequest[],
  dormant: readonly DormantRight[],
): string[] {
  const used = new Set(requests.filter(({ allowed }) => allowed).flatMap(rightsOf));
  const forbidden = new Set(requests.filter(({ allowed }) => !allowed).map(describe));
  const given = new Set(granted.map(describe));
  const asleep = new Set(dormant.map(describe));
  const findings = [
    ...[...forbidden].map((right) => `is missing: ${right}`),
    ...[...given]
      .filter((right) => !used.has(right) && !asleep.has(right))
      .map((right) => `was never used: ${right}`),
    ...[...asleep].filter((right) => !given.has(right)).map((right) => `is not given any more: ${right}`),
  ];
  return findings.sort();
}

/** The rights that a request took. A server-side apply of an object that was not there asks for `create`, too. */
function rightsOf(request: AuditedRequest): string[] {
  const hasCreated = request.verb === 'patch' && request.code === 201;
  return [describe(request), ...(hasCreated ? [describe({ ...request, verb: 'create' })] : [])];
}

/** E.g. `quorate-worker may delete pods`. */
const describe = ({ account, apiGroup, resource, verb }: Right): string =>
  `${account} may ${verb} ${resource}${apiGroup === '' ? '' : `.${apiGroup}`}`;
