import { isError, QuorateError } from '../errors/catalogue.ts';
import { wait } from '../service/backoff.ts';
import type { Log } from '../service/log.ts';
import type { Kube } from './kube.ts';
import { type KubeObject, resourceTypes } from './object.ts';

const crdType = resourceTypes.customResourceDefinition;
const establishPollMs = 100;
const establishTimeoutMs = 30_000;

/**
 * Installs or updates the CustomResourceDefinitions and waits until the API serves them. Where the rights for
 * that are missing, it says so and goes on with what is installed; throws KUBE_REFUSED where nothing is.
 */
export async function installCrds(
  kube: Kube,
  crds: KubeObject[],
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<void> {
  for (const crd of crds) {
    const { name } = crd.metadata;
    try {
      await kube.apply(crdType, crd, signal);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      if ((await isInstalled(kube, name, signal)) === false) throw error;
      log.warn(
        { crd: name, reason: error.fields['message'] },
        'no right to install or update a CustomResourceDefinition; going on with what is installed',
      );
      continue;
    }
    await established(kube, name, signal);
  }
}

/** `undefined` where we may not even look: then the watch will tell. */
async function isInstalled(kube: Kube, name: string, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    return (await kube.get(crdType, undefined, name, signal)) !== undefined;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
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
