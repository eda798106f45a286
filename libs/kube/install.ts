import { isError, QuorateError } from '../errors/catalogue.ts';
import { wait } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import type { Kube } from './kube.ts';
import { type KubeObject, resourceTypes } from './object.ts';

const crdType = resourceTypes.customResourceDefinition;
const establishPollMs = 100;
const establishTimeoutMs = 30_000;

/**
 * Installs or updates the CustomResourceDefinitions and waits until the API serves them. What is installed and says
 * all that ours says is left alone, so that the right to read is enough where somebody else installs them. Without
 * the right to write, an older one is taken as it is, and the log says so; throws KUBE_CRD_MISSING where there is none.
 */
export async function installCrds(
  kube: Kube,
  crds: KubeObject[],
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<void> {
  for (const crd of crds) {
    const { name } = crd.metadata;
    const installed = await look(kube, name, signal);
    if (installed === 'forbidden' || !covers(installed?.['spec'], crd['spec'])) {
      try {
        await kube.apply(crdType, crd, signal);
      } catch (error) {
        if (!isForbidden(error)) throw error;
        const reason = error.fields['message'];
        if (installed === undefined) {
          throw new QuorateError('KUBE_CRD_MISSING', `${name} (${reason})`, { crd: name }, error);
        }
        log.warn(
          { crd: name, reason },
          'no right to install or update a CustomResourceDefinition; going on with what is installed',
        );
        continue;
      }
    }
    await established(kube, name, signal);
  }
}

/** The installed definition; `forbidden` where we may not even look: then the watch will tell. */
async function look(
  kube: Kube,
  name: string,
  signal: AbortSignal,
): Promise<KubeObject | 'forbidden' | undefined> {
  try {
    return await kube.get(crdType, undefined, name, signal);
  } catch (error) {
    if (isForbidden(error)) return 'forbidden';
    throw error;
  }
}

/** Whether `present` says all that `wanted` says: the API server adds defaults, and leaves out what is empty. */
function covers(present: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return present === wanted;
  const { length } = Object.keys(wanted);
  if (length === 0) return true;
  if (typeof present !== 'object' || present === null) return false;
  // A list is all or nothing; an object may have more.
  if (Array.isArray(wanted) && Object.keys(present).length !== length) return false;
  return Object.entries(wanted).every(([field, value]) =>
    covers((present as Record<string, unknown>)[field], value),
  );
}

function isForbidden(error: unknown): error is QuorateError {
  return isError(error, 'KUBE_REFUSED') && error.fields['status'] === 403;
}

/** Waits until the API serves the kind; throws KUBE_REFUSED where another one has its names. */
async function established(kube: Kube, name: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + establishTimeoutMs;
  while (performance.now() < deadlineMs) {
    const conditions = conditionsOf(await kube.get(crdType, undefined, name, signal));
    if (conditions.get('Established')?.status === 'True') return;
    const names = conditions.get('NamesAccepted');
    if (names?.status === 'False')
      throw new QuorateError('KUBE_REFUSED', `${name}: ${names.message}`, { name });
    await wait(establishPollMs, signal);
    signal.throwIfAborted();
  }
  throw new QuorateError('KUBE_UNREACHABLE', `${name} is applied but not served yet`, { name });
}

interface Condition {
  type: string;
  status: string;
  message?: string;
}

function conditionsOf(crd: KubeObject | undefined): Map<string, Condition> {
  const status = crd?.['status'] as { conditions?: Condition[] } | undefined;
  return new Map((status?.conditions ?? []).map((condition) => [condition.type, condition]));
}
