/** Every error Quorate can raise, in one place: its code, whether trying again can help, and what the reader should do. */
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
  // Bad input
  SPEC_UNFIT: entry(
    false,
    'the spec is too long or too deep to be worked with',
    'Shorten the named field; the running cluster stays as it is until then.',
  ),
  // Configuration and start
  CONFIG_INVALID: entry(false, 'a setting is missing or wrong', 'Correct the named setting and start again.'),
  PROGRAM_MISSING: entry(
    false,
    'a program that Quorate needs is not installed',
    'Install the listed Debian packages, or name the program in the environment variable shown.',
  ),
  ALREADY_RUNNING: entry(
    false,
    'Quorate runs in this folder already',
    'Use what runs there, or stop it first, or choose another folder with --dir.',
  ),
  PROCESS_FAILED: entry(
    false,
    'a process did not start',
    'Read the named log; it says why the process ended.',
  ),
  KUBECTL_FAILED: entry(
    false,
    'kubectl did not apply the file',
    'Read what kubectl says and correct the file.',
  ),
  MANIFEST_INVALID: entry(
    false,
    'the file cannot be planned',
    'Name a file of YAML or JSON with a resource of an engine that Quorate knows.',
  ),
  PLAN_UNFORESEEN: entry(
    false,
    'what would happen cannot be foreseen from here',
    "Run it where the members' pods can be reached, e.g. on a node or in a pod; if something has just happened, try again.",
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
    'Read the reason: it names the right that is missing, or what the API does not know.',
  ),
  KUBE_INVALID: entry(
    false,
    'the Kubernetes API found the request itself wrong',
    'Read the reason: it names the field.',
  ),
  KUBE_QUOTA_EXCEEDED: entry(
    false,
    'a quota of the namespace does not allow the write',
    'Raise the named ResourceQuota or delete what fills it; Quorate tries again at least twice a minute.',
  ),
  KUBE_ADMISSION_REFUSED: entry(
    false,
    "a rule of the Kubernetes cluster's own refused the write",
    'Change what the named webhook, limit range or security policy objects to, or that rule; Quorate tries again at least twice a minute.',
  ),
  KUBE_WEBHOOK_FAILED: entry(
    true,
    'an admission webhook could not be asked, so the write was refused',
    'Bring the named webhook back, or delete its configuration; Quorate tries again at least twice a minute.',
  ),
  KUBE_CRD_MISSING: entry(
    false,
    'a CustomResourceDefinition is not installed, and there is no right to install it',
    'Install it: the Helm chart and deploy/manifests bring it, or "kubectl apply -f deploy/crds".',
  ),
  KUBE_REGISTRATION: entry(
    false,
    'a Secret that registers a Kubernetes cluster cannot be used',
    'Correct the Secret as docs/kubes.md says; it is read again as soon as it changes.',
  ),
  NAME_TAKEN: entry(
    false,
    'an object of the name that is needed belongs to somebody else',
    'Delete or rename the named object, or create the cluster under another name.',
  ),
  // The message bus
  BUS_UNREACHABLE: entry(
    true,
    'NATS did not confirm the request',
    'Check that nats-server at NATS_URL runs with JetStream enabled; Quorate keeps trying.',
  ),
  BUS_TOO_LARGE: entry(
    false,
    'a message is larger than NATS takes',
    'Make the named object smaller, or raise max_payload of nats-server.',
  ),
  BUS_SUBJECT: entry(
    false,
    'a name cannot be part of a subject',
    'Correct the label that the name comes from: letters, digits, dashes and dots, as Kubernetes names have.',
  ),
  // The task queue
  QUEUE_UNREACHABLE: entry(
    true,
    'Redis did not confirm the request',
    'Check that redis-server at REDIS_URL runs and can be reached; Quorate keeps trying.',
  ),
  // Members of an etcd cluster
  ETCD_UNREACHABLE: entry(
    true,
    'the etcd member could not be reached',
    'Check that the member runs and that its client port can be reached; Quorate keeps trying.',
  ),
  ETCD_TIMEOUT: entry(
    true,
    'the etcd member did not answer in time',
    'Check its log and its disk; a member that answers nothing but its status has lost quorum.',
  ),
  ETCD_NO_LEADER: entry(
    true,
    'the etcd member sees no leader',
    'Nothing during an election, which takes seconds; if it lasts, start enough members for a quorum.',
  ),
  ETCD_LEARNER_NOT_READY: entry(
    true,
    'the learner has not caught up with the leader',
    'Nothing: Quorate asks again.',
  ),
  ETCD_MEMBER_NOT_FOUND: entry(
    false,
    'the etcd cluster has no such member',
    'Read the members again: it has been removed.',
  ),
  ETCD_MEMBER_EXISTS: entry(
    false,
    'the etcd cluster has a member of that peer URL already',
    'Read the members again: it has been added.',
  ),
  ETCD_UNHEALTHY_CLUSTER: entry(
    true,
    'etcd refuses the membership change because too few members are connected',
    'Bring the members that are down back first; a member that has just started counts after 5 s.',
  ),
  ETCD_TOO_MANY_LEARNERS: entry(
    false,
    'the etcd cluster has as many learners as it allows',
    'Promote or remove the present learner first.',
  ),
  ETCD_NOT_LEADER: entry(
    true,
    'the etcd member is not the leader',
    'Nothing: the next pass asks the leader.',
  ),
  ETCD_REFUSED: entry(
    false,
    'the etcd member refused the request',
    "Read the reason, which is etcd's own message.",
  ),
  // Passes and their records
  PASS_FAILED: entry(
    true,
    'a pass could not finish',
    'Read the reason; the cluster is tried again after a growing delay, and `kubectl describe` shows what failed.',
  ),
  TASK_LOST: entry(
    true,
    'this worker no longer held the task',
    'Nothing: another worker has it and looks anew; if it happens often, see whether workers or Redis are starved.',
  ),
  DECISION_UNREADABLE: entry(
    false,
    'a decision record does not have the published format',
    'Look at it in the stream DEAD; another program or another version wrote it.',
  ),
  NOT_RECORDED: entry(
    false,
    'nothing that is kept tells of it',
    'Check the name, the namespace and the kube; what is older than the streams keep is gone.',
  ),
  RECORDING_REFUSED: entry(
    false,
    'a file is no recording that can be trusted',
    'Export it again with `quorate replay … --export FILE`, and copy it as a binary file.',
  ),
  PLAN_IMPURE: entry(
    false,
    'a plan reached for what it was not given',
    'Use what the message names instead: a plan sees its spec, its facts and `nowMs`, and nothing else.',
  ),
  // Sandbox
  SANDBOX_FORBIDDEN: entry(
    false,
    'this machine does not let the sandbox run containers',
    'Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or a container with --privileged), run as root, or give a real cluster in KUBECONFIG.',
  ),
  SANDBOX_ADDRESSES: entry(
    true,
    'the sandbox found no free range of loopback addresses',
    'Stop another sandbox, then start again.',
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

/** Anything thrown, as a record keeps it. What is not of the catalogue may pass, so it counts as retryable. */
export function describeError(error: unknown): { code: string; message: string; retryable: boolean } {
  if (error instanceof QuorateError)
    return { code: error.code, message: error.message, retryable: error.retryable };
  return { code: 'UNEXPECTED', message: messageOf(error), retryable: true };
}
