/**
 * Every error Quorate can raise, in one place: its code, whether trying again can help, and what the reader
 * should do. `docs/errors.md` is checked against this table.
 */
interface Entry {
  /** `true`: the same call may succeed later without anybody changing anything. */
  retryable: boolean;
  /** One sentence for the person who reads the log: what happened. */
  message: string;
  /** One sentence: what to do about it. */
  help: string;
}

const entry = (retryable: boolean, message: string, help: string): Entry => ({ retryable, message, help });

export const catalogue = {
  // Configuration and start
  CONFIG_INVALID: entry(false, 'a setting is missing or wrong', 'Correct the named setting and start again.'),
  PROGRAM_MISSING: entry(
    false,
    'a program that Quorate needs is not installed',
    'Install the listed Debian packages, or name the program in the environment variable shown.',
  ),
  // Kubernetes API
  KUBE_UNREACHABLE: entry(
    true,
    'the Kubernetes API did not answer',
    'Check that the API server in KUBECONFIG runs and can be reached; Quorate keeps trying.',
  ),
  KUBE_BUSY: entry(true, 'the Kubernetes API asked to slow down', 'Nothing: Quorate waits and tries again.'),
  KUBE_CONFLICT: entry(
    true,
    'the object changed since it was read',
    'Nothing: the next pass reads it again and decides anew.',
  ),
  KUBE_EXISTS: entry(true, 'an object of that name exists already', 'Nothing: the next pass looks at it.'),
  KUBE_GONE: entry(true, 'the watched history is no longer kept', 'Nothing: Quorate lists again.'),
  KUBE_REFUSED: entry(
    false,
    'the Kubernetes API refused the request',
    'Read the reason: it names the field, the right or the webhook that refused.',
  ),
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

/** A named error of the catalogue, with the fields that say which object, field or server it is about. */
export class QuorateError extends Error {
  override readonly name = 'QuorateError';
  readonly code: ErrorCode;
  readonly fields: Record<string, unknown>;

  constructor(code: ErrorCode, detail: string, fields: Record<string, unknown> = {}, cause?: unknown) {
    super(`${catalogue[code].message}: ${detail}`, { cause });
    this.code = code;
    this.fields = fields;
  }

  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }

  get help(): string {
    return catalogue[this.code].help;
  }
}

/** Whether `error` is the named error of the catalogue. */
export function isError(error: unknown, code: ErrorCode): error is QuorateError {
  return error instanceof QuorateError && error.code === code;
}

/** The message of anything thrown, for logs and records; never a stack. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
